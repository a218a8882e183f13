//! The search engine within the process: words in a tantivy index, all else on the shelf.

mod answer;

pub(crate) use answer::answer;

#[cfg(test)]
mod tests;
