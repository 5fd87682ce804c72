//! What Postgres has beside the contract.
