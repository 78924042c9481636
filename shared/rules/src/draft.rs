//! A decision in the making: the state as far as it is decided, and the facts so far.

use crate::aggregate::{Aggregate, Consulted, Decision, Defect, FoldError, Undecided};
use crate::entry::{Actor, Entry, WorkflowRef};
use crate::notification::{About, Notification, NotificationFact, Particulars, Recipient};
use crate::outcome::Outcome;
use crate::quiet;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PersonId};
use policy::{InForce, Message, Rulebook, WorkflowId};
use smol_str::format_smolstr;
use std::collections::BTreeMap;

/// The workflow that takes a fact, and the step of it, where it has steps.
pub(crate) type Tag<'a> = Option<(WorkflowId, Option<&'a str>)>;

/// A state that is copied when the first fact is folded in, and not before.
pub(crate) struct Folding<'a, A> {
    before: Option<&'a A>,
    after: Option<Box<A>>,
}

impl<A: Aggregate> Folding<'_, A> {
    /// The state as far as it is decided.
    pub fn get(&self) -> Option<&A> {
        self.after.as_deref().or(self.before)
    }

    fn fold_in(&mut self, entry: &Entry<A::Fact>) -> Result<(), FoldError> {
        if let Some(state) = &mut self.after {
            return state.follow(entry);
        }
        let state = match self.before {
            Some(before) => {
                let mut state = Box::new(before.clone());
                state.follow(entry)?;
                state
            }
            None => Box::new(A::begin(entry)?),
        };
        self.after = Some(state);
        Ok(())
    }
}

/// What a decision has worked out of a lead, as of so many facts under these rules.
#[derive(Clone, Copy)]
pub(crate) struct AsOf<T> {
    pub facts: usize,
    pub in_force: InForce,
    pub what: T,
}

/// The next instants of a state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NextDue {
    /// The next threshold of a sales clock.
    pub step: Option<DateTime<Utc>>,
    /// When the state has to be looked at again, whatever for.
    pub wake_at: Option<DateTime<Utc>>,
}

/// A decision in the making.
pub(crate) struct Draft<'a, A: Aggregate> {
    /// The rules by which it is decided right now.
    pub rules: &'a Rulebook,
    /// What the decision may know.
    pub world: &'a World,
    /// The state as far as it is decided.
    pub state: Folding<'a, A>,
    /// The instant of the decision: never before the last fact.
    pub now: DateTime<Utc>,
    command: &'a A::Command,
    commit: u64,
    /// The circumstances of the next fact.
    at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    by_timer: bool,
    /// The facts so far.
    pub entries: Vec<Entry<A::Fact>>,
    /// The first of the entries that the input brings about.
    input_from: usize,
    pub relied_on: BTreeMap<PersonId, u64>,
    pub consulted: Consulted,
    /// What the state waits for, if that was computed.
    pub wake: Option<AsOf<NextDue>>,
    /// When the operations queue was held against its conditions last.
    pub reconciled: Option<AsOf<()>>,
    /// The first mistake that was made. Nothing is decided then.
    defect: Option<Defect>,
}

impl<'a, A: Aggregate> Draft<'a, A> {
    pub fn new(before: Option<&'a A>, world: &'a World, command: &'a A::Command, now: DateTime<Utc>) -> Self {
        // Clocks of machines differ: facts never go back in time.
        let now = before.and_then(A::changed_at).map_or(now, |changed_at| now.max(changed_at));
        Self {
            rules: &world.rules,
            world,
            state: Folding { before, after: None },
            now,
            command,
            commit: before.map_or(0, A::commit).saturating_add(1),
            at: now,
            due_at: None,
            by_timer: false,
            entries: Vec::new(),
            input_from: 0,
            relied_on: BTreeMap::new(),
            consulted: Consulted::default(),
            wake: None,
            reconciled: None,
            defect: None,
        }
    }

    /// What follows is brought about by a timer that was due at an instant.
    pub fn begin_timer(&mut self, due: DateTime<Utc>, at: DateTime<Utc>) {
        (self.at, self.due_at, self.by_timer) = (self.not_before_the_last(at), Some(due), true);
    }

    /// What follows is brought about by a publication, at its instant.
    pub fn begin_publication(&mut self, at: DateTime<Utc>) {
        (self.at, self.due_at, self.by_timer) = (self.not_before_the_last(at), None, true);
    }

    /// What follows is brought about by the input.
    pub fn begin_input(&mut self, at: DateTime<Utc>) {
        (self.at, self.due_at, self.by_timer) = (self.not_before_the_last(at), None, false);
        self.input_from = self.entries.len();
    }

    fn not_before_the_last(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.state.get().and_then(A::changed_at).map_or(at, |changed_at| at.max(changed_at))
    }

    /// The instant that the next fact takes effect.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The command.
    pub fn command(&self) -> &'a A::Command {
        self.command
    }

    /// The entries that the input has brought about.
    pub fn of_input(&self) -> impl Iterator<Item = &Entry<A::Fact>> {
        self.entries.iter().skip(self.input_from)
    }

    /// The number of the next entry.
    pub fn next_seq(&self) -> u64 {
        self.state.get().map_or(0, A::seq).saturating_add(1)
    }

    /// Adds a fact to the history and folds it in.
    pub fn fact(&mut self, tag: Tag<'_>, fact: impl Into<A::Fact>) {
        if self.defect.is_some() {
            return;
        }
        let in_force = self.rules.in_force();
        let entry = Entry {
            subject: A::subject(self.command),
            seq: self.next_seq(),
            commit: self.commit,
            at: self.at,
            due_at: self.due_at,
            actor: if self.by_timer { Actor::system("clock") } else { A::actor(self.command).clone() },
            cause: A::cause(self.command).to_owned(),
            workflow: tag.map(|(id, step)| WorkflowRef {
                id,
                version: self.rules.published().version_of(id),
                step: step.map(str::to_owned),
            }),
            policy_revision: in_force.policy,
            directory_revision: in_force.directory,
            fact: fact.into(),
        };
        match self.state.fold_in(&entry) {
            Ok(()) => self.entries.push(entry),
            Err(error) => self.defect = Some(Defect::Fold(error)),
        }
    }

    /// Asks for somebody to be told, after their quiet hours if need be. The notification's id comes from its
    /// place in the history.
    pub fn notify(&mut self, tag: Tag<'_>, to: Recipient, message: Message, particulars: Particulars) {
        let id = NotificationId::new(format_smolstr!("{}/{}", A::subject(self.command), self.next_seq()));
        let not_before = self.quiet_until(&to, message);
        let about = self.state.get().map_or_else(About::default, |state| state.about(self.due_at));
        let notification = Notification { id, to, message, particulars, about, not_before };
        self.fact(tag, NotificationFact::Requested(Box::new(notification)));
    }

    /// When the quiet hours of a recipient end, if a message has to wait for that. It goes by when the request
    /// takes effect, so that it does not hang on when a sweep ran.
    pub fn quiet_until(&self, to: &Recipient, message: Message) -> Option<DateTime<Utc>> {
        quiet::not_before(self.rules.policy(), self.rules.directory(), to, message, self.at)
    }

    /// The decision.
    ///
    /// # Errors
    /// If a mistake was made on the way.
    pub fn finish(self, outcome: Outcome, wake_at: Option<DateTime<Utc>>) -> Result<Decision<A>, Undecided> {
        if let Some(defect) = self.defect {
            return Err(Undecided::Defect(defect));
        }
        let Self { state, entries, relied_on, consulted, .. } = self;
        Ok(Decision { outcome, entries, changed: state.after, wake_at, relied_on, consulted })
    }
}
