//! Why a command on the tree was refused.

use serde::Serialize;

use crate::decider::{Rejection, RejectionKind};
use crate::{BrokenRule, CategoryId};

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CategoryRejection {
    #[error("there is no category {category_id}")]
    NoSuchCategory { category_id: CategoryId },
    #[error("there is no category {parent_id} to be the parent")]
    NoSuchParent { parent_id: CategoryId },
    #[error("category {category_id} already exists elsewhere or under another name")]
    CategoryExists { category_id: CategoryId },
    #[error("category {category_id} cannot go under {parent_id}, which is itself or below it")]
    CategoryCycle { category_id: CategoryId, parent_id: CategoryId },
    #[error("its sibling {category_id} already has the slug `{slug}`")]
    SlugTaken { slug: String, category_id: CategoryId },
    #[error("category {category_id} has {children} children")]
    CategoryHasChildren { category_id: CategoryId, children: usize },
    #[error("the tree is at most {max} categories deep, this would make it {depth}")]
    TreeTooDeep { max: usize, depth: usize },
    #[error("the tree has at most {max} categories")]
    TreeFull { max: usize },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for CategoryRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoSuchCategory { .. } => RejectionKind::NotFound,
            Self::NoSuchParent { .. } | Self::InvalidValue(_) => RejectionKind::Invalid,
            Self::CategoryExists { .. }
            | Self::CategoryCycle { .. }
            | Self::SlugTaken { .. }
            | Self::CategoryHasChildren { .. }
            | Self::TreeTooDeep { .. }
            | Self::TreeFull { .. } => RejectionKind::Conflict,
        }
    }
}
