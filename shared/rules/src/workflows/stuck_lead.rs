//! Stuck lead.
//!
//! **What**: asks the owner to update or move a lead, then tells the manager, then puts it in
//! front of operations.
//! **When**: at multiples of the window for the state, measured from entering the state. A new
//! owner does not begin it anew, only a transition does; time on hold does not count.
//! **Why**: a lead can be answered within every window and still go nowhere. Every event is
//! recorded with state, market, owner and age, so that the places where leads get stuck show.

use crate::notification::Message;

/// What the owner and the manager are told.
pub(super) const MESSAGES: (Message, Message) = (Message::StuckAsk, Message::StuckManager);
