//! Why a command on a customer was refused.

use serde::Serialize;

use crate::decider::{Rejection, RejectionKind};
use crate::{AddressId, BrokenRule, CustomerId, PaymentMethodId};

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CustomerRejection {
    #[error("there is no such customer")]
    NoSuchCustomer,
    #[error("customer {customer_id} is already registered")]
    CustomerExists { customer_id: CustomerId },
    #[error("the customer was erased")]
    CustomerErased,
    #[error("the customer already has another address {address_id}")]
    AddressExists { address_id: AddressId },
    #[error("a customer has at most {max} addresses")]
    TooManyAddresses { max: usize },
    #[error("the customer already has another payment method {payment_method_id}")]
    PaymentMethodExists { payment_method_id: PaymentMethodId },
    #[error("a customer has at most {max} payment methods")]
    TooManyPaymentMethods { max: usize },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for CustomerRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoSuchCustomer => RejectionKind::NotFound,
            Self::InvalidValue(_) => RejectionKind::Invalid,
            Self::CustomerExists { .. }
            | Self::CustomerErased
            | Self::AddressExists { .. }
            | Self::TooManyAddresses { .. }
            | Self::PaymentMethodExists { .. }
            | Self::TooManyPaymentMethods { .. } => RejectionKind::Conflict,
        }
    }
}
