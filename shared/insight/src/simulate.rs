//! A whole deployment in memory, in virtual time: the very same `decide`, with nothing around it.
//! Timers run at their own instants, in order, unless an outage is played.

use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, PersonId, PublicationId, PublicationKind, Subject, TeamId};
use policy::impact::{Rules, reps, scopes};
use policy::{Policy, PublishedPolicy, Rulebook};
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::account_view::AccountView;
use rules::aggregate::{Aggregate as _, Consulted, Decision};
use rules::ask::AskError;
use rules::entry::{Actor, Entry};
use rules::lead::{Command, Input, Lead, LeadFact, stays_with, waits_since, wake_at};
use rules::notification::{Delivery, DeliveryResult, Notification, NotificationFact, Recipient};
use rules::outcome::Outcome;
use rules::publication::scope;
use rules::record::{CommitRecord, Recorded};
use rules::recordable::Recordable;
use rules::rep::{RepCommand, RepFact, RepInput, load_changes};
use rules::roster::{Availability, Roster, Standing};
use rules::still_true::Telling;
use rules::world::{Learned, Missing, Past, World};
use rules::{absence, ask, cause, rep, still_true};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An entry of any subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "most entries are a lead's")]
pub enum AnyEntry {
    /// Of a lead.
    Lead(Entry<LeadFact>),
    /// Of an account.
    Account(Entry<AccountFact>),
    /// Of a rep.
    Rep(Entry<RepFact>),
}

/// The notifications that wait for the end of somebody's quiet hours.
#[derive(Debug, Clone, Default)]
struct Untold(BTreeMap<DateTime<Utc>, Vec<(Subject, Notification)>>);

impl Untold {
    fn follow(&mut self, subject: &Subject, fact: &NotificationFact) {
        if let NotificationFact::Requested(notification) = fact
            && let Some(at) = notification.not_before
        {
            self.0.entry(at).or_default().push((subject.clone(), (**notification).clone()));
        }
    }

    fn first(&self) -> Option<DateTime<Utc>> {
        self.0.keys().next().copied()
    }

    /// The first one of an instant, in the order in which they were asked for.
    fn take(&mut self, at: DateTime<Utc>) -> Option<(Subject, Notification)> {
        let waiting = self.0.get_mut(&at)?;
        let first = (!waiting.is_empty()).then(|| waiting.remove(0));
        if waiting.is_empty() {
            self.0.remove(&at);
        }
        first
    }
}

/// A deployment in memory.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What decisions may know: the documents and the teams, and of accounts what the last decision asked for.
    world: World,
    leads: BTreeMap<LeadId, Lead>,
    accounts: BTreeMap<AccountId, Account>,
    due: BTreeSet<(DateTime<Utc>, Subject)>,
    wakes: BTreeMap<Subject, DateTime<Utc>>,
    /// What waits for the end of somebody's quiet hours. Everything else is told at once, and nothing
    /// is written of it.
    untold: Untold,
    /// The latest instant at which a lead or an account was decided on. Nothing runs at an earlier one: an
    /// input can ask for something that was due before it came.
    reached: DateTime<Utc>,
    history: Vec<AnyEntry>,
    records: Option<Vec<Result<CommitRecord, Arc<serde_json::Error>>>>,
}

impl Simulation {
    /// Begins with nothing in it.
    pub fn new(policy: PublishedPolicy, directory: Directory) -> Self {
        let directory = match directory.revision() {
            0 => directory.published(1, policy.published_at),
            _ => directory,
        };
        let rosters = directory.document().teams.keys().map(|id| (id.clone(), Roster::default())).collect();
        let rules = Arc::new(Rulebook::new(Arc::new(policy), Arc::new(directory)));
        let mut simulation = Self {
            world: World { rosters, ..World::new(rules) },
            leads: BTreeMap::new(),
            accounts: BTreeMap::new(),
            due: BTreeSet::new(),
            wakes: BTreeMap::new(),
            untold: Untold::default(),
            reached: DateTime::<Utc>::MIN_UTC,
            history: Vec::new(),
            records: None,
        };
        let began_at = simulation.world.rules.published().published_at;
        let teams = simulation.world.rules.directory().document().teams.values();
        let reps: Vec<PersonId> = teams.flat_map(|team| team.reps.keys().cloned()).collect();
        for rep in reps {
            simulation.watch_rep(&rep, began_at);
        }
        simulation
    }

    /// Keeps the record of each commit from now on, for [`Self::take_records`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.records.get_or_insert_default();
        self
    }

    /// The records of the commits so far, taken out.
    ///
    /// # Errors
    /// None in practice: every input and every fact can be written as JSON.
    pub fn take_records(&mut self) -> Result<Vec<CommitRecord>, Arc<serde_json::Error>> {
        self.records.as_mut().map(std::mem::take).into_iter().flatten().collect()
    }

    /// Records a commit, if anything came of the input.
    fn record<I: Recordable, F: Serialize>(&mut self, answered: Answered<'_, I>, entries: &[Entry<F>]) {
        let Answered { actor, input, consulted, now } = answered;
        if self.records.is_none() {
            return;
        }
        let record = Recorded::of(actor, input, consulted, &self.world)
            .and_then(|recorded| CommitRecord::of(entries, recorded, now));
        if let (Some(records), Some(record)) = (&mut self.records, record.transpose()) {
            records.push(record.map_err(Arc::new));
        }
    }

    /// What happened so far, taken out.
    pub fn take_history(&mut self) -> Vec<AnyEntry> {
        std::mem::take(&mut self.history)
    }

    /// The leads as they are.
    pub fn leads(&self) -> &BTreeMap<LeadId, Lead> {
        &self.leads
    }

    /// The accounts as they are.
    pub fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.accounts
    }

    /// What decisions may know.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The teams as they stand.
    pub fn rosters(&self) -> &BTreeMap<TeamId, Roster> {
        &self.world.rosters
    }

    /// The policy that is in force.
    pub fn policy(&self) -> &PublishedPolicy {
        self.world.rules.published()
    }

    /// Every revision that was in force or is.
    pub fn revisions(&self) -> Past {
        let mut all = Past::clone(&self.world.past);
        all.add_policy(Arc::clone(self.world.rules.published()));
        all.add_directory(Arc::clone(self.world.rules.shared_directory()));
        all.keep(Arc::clone(&self.world.rules));
        all
    }

    /// The directory it runs with.
    pub fn directory(&self) -> &Directory {
        self.world.rules.directory()
    }

    /// The revisions that were in force before.
    pub fn past(&self) -> &Past {
        &self.world.past
    }

    /// Runs every timer up to an instant, that instant included.
    pub fn run_until(&mut self, until: DateTime<Utc>) {
        loop {
            let due = self.due.first().cloned().filter(|(due, _)| *due <= until);
            // What is due at the same time is done first: it may change what is told.
            let told = self.untold.first().filter(|at| *at <= until);
            match (due, told) {
                (Some((due, subject)), told) if told.is_none_or(|at| due <= at) => {
                    self.wake(&subject, due, due.max(self.reached));
                }
                (_, Some(at)) => self.tell(at, at.max(self.reached)),
                (Some(_), None) | (None, None) => return,
            }
        }
    }

    /// Runs what was due while no timer ran: late, each subject once, in order of time.
    pub fn resume_at(&mut self, now: DateTime<Utc>) {
        while let Some((due, subject)) = self.due.first().cloned().filter(|(due, _)| *due <= now) {
            self.wake(&subject, due, now);
        }
        while let Some(at) = self.untold.first().filter(|at| *at <= now) {
            self.tell(at, now);
        }
    }

    /// Tells what waited until an instant, as far as it is still true.
    fn tell(&mut self, waited_until: DateTime<Utc>, now: DateTime<Utc>) {
        let Some((subject, notification)) = self.untold.take(waited_until) else { return };
        let mut with = Vec::new();
        let telling = match &subject {
            Subject::Lead(id) => match self.leads.get(id) {
                // Told together with another one.
                Some(lead) if !lead.undelivered.iter().any(|p| p.id == notification.id) => return,
                Some(lead) => still_true::of_lead(lead, &self.world.rules, &notification, now),
                None => return,
            },
            Subject::Account(id) => match self.accounts.get(id) {
                Some(account) => still_true::of_account(account, &notification),
                None => return,
            },
            Subject::Rep(_) | Subject::Publication(_) => return,
        };
        let result = match telling {
            Telling::With(_) => return,
            Telling::Withdraw { reason, .. } => DeliveryResult::Withdrawn { reason },
            Telling::Tell(told) => {
                with.extend(told.with.into_iter().map(|earlier| earlier.id));
                DeliveryResult::Delivered { channel: self.channel_of(&notification.to), reference: None }
            }
        };
        let (actor, cause) = (Actor::system("notify"), format!("delivery/{}", notification.id));
        let delivery = Delivery { id: notification.id, attempts: 1, result, with };
        match subject {
            Subject::Lead(lead) => {
                let input = Input::Delivery(delivery);
                self.lead(&Command { lead, actor, cause, input }, now);
            }
            Subject::Account(account) => {
                let input = AccountInput::Delivery(delivery);
                self.account(&AccountCommand { account, actor, cause, input }, now);
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
    }

    fn channel_of(&self, to: &Recipient) -> String {
        let Recipient::Person { person, .. } = to else { return "slack-channel".to_owned() };
        let notify = self.world.rules.directory().person(person).and_then(|person| person.notify.as_deref());
        match notify {
            None | Some("slack") => "slack-dm".to_owned(),
            Some(other) => other.split(':').next().unwrap_or(other).to_owned(),
        }
    }

    /// Applies a command to a lead at an instant.
    pub fn lead(&mut self, command: &Command, now: DateTime<Utc>) -> Outcome {
        self.reached = self.reached.max(now);
        let before = self.leads.get(&command.lead).cloned();
        let Some(decision) = self.decided(before.as_ref(), command, now) else {
            return Outcome::NotFound;
        };
        // Before any load changes, so that the record has the teams as the decision saw them.
        let consulted = &decision.consulted;
        let answered = Answered { actor: &command.actor, input: &command.input, consulted, now };
        self.record(answered, &decision.entries);
        let mut freed = BTreeSet::new();
        if let Some(after) = decision.changed.map(|after| *after).or_else(|| before.clone()) {
            for change in load_changes(before.as_ref(), &after, &decision.entries) {
                self.change_load(&change);
                if change.absent.is_some() {
                    self.set_wake(Subject::Rep(change.rep.clone()), Some(now));
                }
                freed.extend((change.delta < 0).then_some(change.rep));
            }
            let subject = Subject::Lead(after.id.clone());
            self.set_wake(subject, decision.wake_at);
            self.leads.insert(after.id.clone(), after);
        }
        for entry in &decision.entries {
            if let LeadFact::Notification(fact) = &entry.fact {
                self.untold.follow(&entry.subject, fact);
            }
        }
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Lead));
        for rep in freed {
            self.offer(&rep, now);
        }
        decision.outcome
    }

    /// Offers the place that a rep may have to the leads that wait for one in their team: to the one that
    /// waits longest first.
    fn offer(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else { return };
        let mut waiting: Vec<(DateTime<Utc>, LeadId)> = self
            .leads
            .values()
            .filter_map(|lead| waits_since(lead, self.world.rules.directory(), &team))
            .collect();
        waiting.sort();
        for (_, lead) in waiting {
            if !self.has_room(rep, now) {
                return;
            }
            let (actor, cause) = (Actor::system("routing"), cause::offer(rep, now));
            self.lead(&Command { lead, actor, cause, input: Input::Offer }, now);
        }
    }

    fn has_room(&self, rep: &PersonId, now: DateTime<Utc>) -> bool {
        let (Some(team), Some(known)) =
            (self.world.rules.directory().team_of(rep), self.world.rules.directory().rep(rep))
        else {
            return false;
        };
        let standing = self.world.rosters.get(team).and_then(|roster| roster.standings.get(rep));
        let standing = standing.cloned().unwrap_or_default();
        standing.load < known.capacity && standing.is_available(known.on_leave_until, now)
    }

    /// Looks at a rep: whoever is away has leads to be looked after, whoever is there may have room.
    fn watch_rep(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let owned: Vec<LeadId> = self
            .leads
            .values()
            .filter(|lead| lead.owner.as_ref() == Some(rep) && !lead.is_closed())
            .map(|lead| lead.id.clone())
            .collect();
        for lead in owned {
            let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
            self.lead(&Command { lead, actor, cause, input: Input::OwnerPresence }, now);
        }
        self.offer(rep, now);
        self.tell_of_absence(rep, now);
        let standing = self
            .world
            .rules
            .directory()
            .team_of(rep)
            .and_then(|team| self.world.rosters.get(team)?.standings.get(rep));
        let standing = standing.cloned().unwrap_or_default();
        let look_at =
            absence::next_look(self.world.rules.directory(), self.world.rules.policy(), rep, &standing, now);
        self.set_wake(Subject::Rep(rep.clone()), look_at);
    }

    /// What is decided on a lead; nothing, if a revision is missing that was never in force.
    fn decided(
        &mut self,
        before: Option<&Lead>,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Option<Decision<Lead>> {
        // Every team is known here; an account is read when the decision asks for it.
        self.world.accounts.clear();
        let accounts = &self.accounts;
        let decision = ask::decide_at_once(before, &mut self.world, command, now, |missing| match missing {
            Missing::Account(id) => {
                let view = accounts.get(&id).map_or_else(AccountView::default, Account::view);
                Ok(Learned::Account(id, view))
            }
            Missing::Team(team) => Ok(Learned::Team(team, Roster::default())),
            missing => Err(missing),
        });
        debug_assert!(!matches!(decision, Err(AskError::Defect(_))), "{decision:?}");
        decision.ok()
    }

    /// The leads for which something follows now, or at another instant than is kept, though nobody looked.
    fn forgotten(&mut self, now: DateTime<Utc>) -> Vec<LeadId> {
        let mut forgotten = Vec::new();
        for lead in self.leads.values().cloned().collect::<Vec<_>>() {
            // What was due before is none of the publication's doing.
            if self.next_wake(&lead.id).is_some_and(|at| at <= now) {
                continue;
            }
            let (actor, cause) = (Actor::system("clock"), cause::wake(now));
            let command = Command { lead: lead.id.clone(), actor, cause, input: Input::Wake };
            let decided = self.decided(Some(&lead), &command, now);
            let follows = decided.is_some_and(|decision| !decision.entries.is_empty());
            let is_late = |at| at > now && self.next_wake(&lead.id).is_none_or(|kept| kept > at);
            if follows || self.wake_of(&lead.id).is_some_and(is_late) {
                forgotten.push(lead.id);
            }
        }
        forgotten
    }

    /// Tells the manager of a rep who is away what became of their leads.
    fn tell_of_absence(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else { return };
        let stay = self.leads.values().filter(|lead| stays_with(lead, rep)).count();
        let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
        let input = RepInput::looked_at(u32::try_from(stay).unwrap_or(u32::MAX), 0);
        self.rep(&team, &RepCommand { rep: rep.clone(), actor, cause, input }, now);
    }

    /// Applies a command to an account at an instant; its leads are told at once.
    pub fn account(&mut self, command: &AccountCommand, now: DateTime<Utc>) -> Outcome {
        self.reached = self.reached.max(now);
        let before = self.accounts.get(&command.account).cloned();
        let Ok(decision) = Account::decide(before.as_ref(), &self.world, command, now) else {
            return Outcome::NotFound;
        };
        let consulted = &decision.consulted;
        let answered = Answered { actor: &command.actor, input: &command.input, consulted, now };
        self.record(answered, &decision.entries);
        let after = decision.changed.map(|after| *after).or(before);
        let news = after.as_ref().filter(|a| a.has_news_for_leads()).map(Account::view);
        if let Some(after) = after {
            self.set_wake(Subject::Account(after.id.clone()), decision.wake_at);
            self.accounts.insert(after.id.clone(), after);
        }
        for entry in &decision.entries {
            if let AccountFact::Notification(fact) = &entry.fact {
                self.untold.follow(&entry.subject, fact);
            }
        }
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Account));
        if let Some(view) = news {
            self.tell_leads(&command.account, view, now);
        }
        decision.outcome
    }

    /// Puts another policy in force, and shows it to the leads that it touches.
    pub fn publish(&mut self, policy: Policy, by: &str, now: DateTime<Utc>) {
        let before = Arc::clone(&self.world.rules);
        let next = PublishedPolicy::next(Some(before.published()), policy, by, now);
        let revision = next.revision;
        self.put_in_force(Rulebook::new(Arc::new(next), Arc::clone(before.shared_directory())));
        let touched = self.touched_since(&before);
        let id = PublicationId { kind: PublicationKind::Policy, revision };
        self.show_publication(id, touched, now);
    }

    /// Puts another directory in force, and shows it to the leads that it touches. Reps who changed teams take
    /// their standings along.
    pub fn publish_directory(&mut self, directory: Directory, now: DateTime<Utc>) {
        let before = Arc::clone(&self.world.rules);
        let revision = before.directory().revision().saturating_add(1);
        let next = Arc::new(directory.published(revision, now));
        let teams = next.document().teams.iter();
        let rosters = &mut self.world.rosters;
        for (rep, team) in teams.flat_map(|(id, team)| team.reps.keys().map(move |rep| (rep, id))) {
            let elsewhere = rosters.iter_mut().filter(|(of, _)| *of != team);
            let standing = elsewhere.filter_map(|(_, roster)| roster.standings.remove(rep)).next();
            if let Some(standing) = standing {
                rosters.entry(team.clone()).or_default().standings.insert(rep.clone(), standing);
            }
        }
        self.put_in_force(Rulebook::new(Arc::clone(before.published()), next));
        let touched = self.touched_since(&before);
        let id = PublicationId { kind: PublicationKind::Directory, revision };
        self.show_publication(id, touched, now);
    }

    /// Puts other rules in force; those of before are kept.
    fn put_in_force(&mut self, rules: Rulebook) {
        let before = std::mem::replace(&mut self.world.rules, Arc::new(rules));
        let past = Arc::make_mut(&mut self.world.past);
        past.add_policy(Arc::clone(before.published()));
        past.add_directory(Arc::clone(before.shared_directory()));
        past.keep(before);
    }

    /// The leads and the reps that a publication touches.
    fn touched_since(&self, before: &Rulebook) -> (Vec<LeadId>, Vec<PersonId>) {
        let was = Rules { policy: before.policy(), directory: before.directory() };
        let is = Rules { policy: self.world.rules.policy(), directory: self.world.rules.directory() };
        let scopes = scopes(was, is);
        let is_touched = |lead: &&Lead| scopes.iter().any(|s| s.is_looked_at() && scope::holds(s, lead));
        let leads = self.leads.values().filter(is_touched).map(|lead| lead.id.clone()).collect();
        (leads, reps(was, is).cloned().collect())
    }

    fn show_publication(
        &mut self,
        id: PublicationId,
        (leads, reps): (Vec<LeadId>, Vec<PersonId>),
        now: DateTime<Utc>,
    ) {
        for lead in leads {
            let (actor, cause) = (Actor::system("publication"), id.to_string());
            self.lead(&Command { lead: lead.clone(), actor, cause, input: Input::Wake }, now);
            // Where nothing was to be recorded the next instant may still be another.
            let wake_at = self.wake_of(&lead);
            self.set_wake(Subject::Lead(lead), wake_at);
        }
        for rep in reps {
            self.watch_rep(&rep, now);
        }
        debug_assert_eq!(self.forgotten(now), [], "{id} touches leads that nobody looks at");
    }

    /// A rep comes or goes.
    pub fn availability(
        &mut self,
        rep: &PersonId,
        availability: &Availability,
        actor: &Actor,
        cause: &str,
        now: DateTime<Utc>,
    ) -> Outcome {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else {
            let why = format!("`{rep}` is not a rep of the directory");
            return Outcome::Invalid { field: "rep".to_owned(), why };
        };
        if rep::is_over(availability, now) {
            let why = "is in the past; name a later instant, or leave it out".to_owned();
            return Outcome::Invalid { field: "until".to_owned(), why };
        }
        let input = RepInput::Availability(availability.clone());
        let (rep, actor, cause) = (rep.clone(), actor.clone(), cause.to_owned());
        let command = RepCommand { rep, actor, cause, input };
        let outcome = self.rep(&team, &command, now);
        if outcome == Outcome::Applied {
            self.watch_rep(&command.rep, now);
        }
        outcome
    }

    fn rep(&mut self, team: &TeamId, command: &RepCommand, now: DateTime<Utc>) -> Outcome {
        let standings = &self.world.rosters.entry(team.clone()).or_default().standings;
        let before = standings.get(&command.rep).cloned().unwrap_or_default();
        let command = command.seen_from(&before);
        let Ok(decision) = Standing::decide(Some(&before), &self.world, &command, now) else {
            return Outcome::NotFound;
        };
        let consulted = &decision.consulted;
        let answered = Answered { actor: &command.actor, input: &command.input, consulted, now };
        self.record(answered, &decision.entries);
        let mut after = decision.changed.map_or(before, |after| *after);
        after.version = after.version.saturating_add(u64::from(!decision.entries.is_empty()));
        let standings = &mut self.world.rosters.entry(team.clone()).or_default().standings;
        standings.insert(command.rep, after);
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Rep));
        decision.outcome
    }

    fn tell_leads(&mut self, account: &AccountId, view: AccountView, now: DateTime<Utc>) {
        let of_account = |lead: &&Lead| lead.profile.account_id.as_ref() == Some(account);
        let leads: Vec<LeadId> = self.leads.values().filter(of_account).map(|l| l.id.clone()).collect();
        let told = u32::try_from(leads.len()).unwrap_or(u32::MAX);
        let (actor, cause) = (Actor::system("account"), format!("account/{account}/{}", view.as_of));
        for lead in leads {
            let (actor, cause) = (actor.clone(), cause.clone());
            self.lead(&Command { lead, actor, cause, input: Input::ApplyAccount }, now);
        }
        let input = AccountInput::LeadsTold { view, leads: told };
        self.account(&AccountCommand { account: account.clone(), actor, cause, input }, now);
    }

    fn wake(&mut self, subject: &Subject, due: DateTime<Utc>, now: DateTime<Utc>) {
        let cause = cause::wake(due);
        let before = self.wakes.get(subject).copied();
        match subject {
            Subject::Lead(id) => {
                let (lead, actor) = (id.clone(), Actor::system("clock"));
                self.lead(&Command { lead, actor, cause, input: Input::Wake }, now);
            }
            Subject::Account(id) => {
                let (account, actor) = (id.clone(), Actor::system("clock"));
                self.account(&AccountCommand { account, actor, cause, input: AccountInput::Wake }, now);
            }
            Subject::Rep(id) => self.watch_rep(&id.clone(), now),
            Subject::Publication(_) => {}
        }
        // A wake that changes nothing must not come again for ever.
        if self.wakes.get(subject).copied() == before {
            self.set_wake(subject.clone(), None);
        }
    }

    fn set_wake(&mut self, subject: Subject, at: Option<DateTime<Utc>>) {
        if let Some(old) = self.wakes.remove(&subject) {
            self.due.remove(&(old, subject.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, subject.clone()));
            self.wakes.insert(subject, at);
        }
    }

    fn change_load(&mut self, change: &rules::rep::LoadChange) {
        // Who is in no team any more stands where they stood: a later directory may have them again.
        let stood =
            || self.world.rosters.iter().find(|(_, roster)| roster.standings.contains_key(&change.rep));
        let team =
            self.world.rules.directory().team_of(&change.rep).cloned().or_else(|| Some(stood()?.0.clone()));
        let Some(team) = team else { return };
        let roster = self.world.rosters.entry(team).or_default();
        let standing = roster.standings.entry(change.rep.clone()).or_default();
        standing.load = standing.load.saturating_add_signed(i32::from(change.delta));
        standing.last_assigned_at = change.assigned_at.or(standing.last_assigned_at);
        standing.version = standing.version.saturating_add(1);
        if let Some(absent) = &change.absent {
            standing.untold.count(absent);
        }
    }

    /// When a lead is looked at again, as it is kept.
    pub fn next_wake(&self, lead: &LeadId) -> Option<DateTime<Utc>> {
        self.wakes.get(&Subject::Lead(lead.clone())).copied()
    }

    /// When each lead has to be looked at again, computed afresh.
    pub fn wake_of(&self, lead: &LeadId) -> Option<DateTime<Utc>> {
        wake_at(self.leads.get(lead)?, &self.world.rules)
    }
}

/// What a commit answered.
struct Answered<'a, I> {
    actor: &'a Actor,
    input: &'a I,
    consulted: &'a Consulted,
    now: DateTime<Utc>,
}
