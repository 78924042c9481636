//! What the tests of the whole share: the seeded documents, random histories, and what has to be so in
//! every history.

pub mod cases;
pub mod explained;
pub mod histories;
pub mod history;
pub mod seeded;
pub mod tables;
