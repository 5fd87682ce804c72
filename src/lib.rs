//! Crewline: the line between a contractor's customers and the contractor's crew.
//!
//! A message's journey, six rooms, never back:
//!
//! 1. [`ws`] `inbound`: a frame becomes a draft, within its limits;
//! 2. [`hub`] `post`: may this person do that here?
//! 3. [`ledger`]: one transaction gives it its numbers and writes record and projections;
//! 4. [`hub`] `sequencer`: each rev once and in order ([`bus`] carries it to the other nodes);
//! 5. [`hub`] `fanout`: encoded once per view;
//! 6. [`ws`] `outbound`: into each socket's lane, and out.
//!
//! What is absent on purpose: [`domain`] awaits nothing and knows no database, `sqlx` is named only
//! in [`ledger`], the wire only in [`protocol`], and [`ws`] and [`http`] never meet.

pub mod domain;
pub mod protocol;

pub mod ledger;

pub mod photos;
pub mod sms;

pub mod bus;

pub mod auth;
pub mod courier;
pub mod gallery;
pub mod hub;

pub mod http;
pub mod ws;

pub mod app;
pub mod config;
pub mod demo;
