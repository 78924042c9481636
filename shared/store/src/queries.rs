//! Lists of leads, read page by page through the indexes.

use crate::attributes::PK;
use crate::error::StoreError;
use crate::item::{get_document, get_text, text};
use crate::keys::Key;
use crate::lead::{CLOSED, DISMISSED, QUEUE, state_key};
use crate::page::{Cursor, PAGE_MAX, Page};
use crate::request::failed;
use crate::schema::{
    BY_ACCOUNT, BY_MARKET, BY_OWNER, BY_STATE, COMPLIANCE_REVIEWS, Index, OPERATIONS_REVIEWS,
};
use crate::store::Store;
use policy::ids::{AccountId, LeadId, MarketId, PersonId, Source};
use policy::impact::{Scope, Sources};
use rules::lead::Lead;
use std::collections::BTreeSet;

impl Store {
    /// The leads of an owner, by id.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn leads_by_owner(
        &self,
        owner: &PersonId,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        self.leads_in(BY_OWNER, owner.as_str(), limit, after, |lead| lead.owner.as_ref() == Some(owner)).await
    }

    /// The leads of a market, by id.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn leads_by_market(
        &self,
        market: &MarketId,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        self.leads_in(BY_MARKET, market.as_str(), limit, after, |lead| {
            lead.profile.market.as_ref() == Some(market)
        })
        .await
    }

    /// The leads of an account, by id.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn leads_by_account(
        &self,
        account: &AccountId,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        self.leads_in(BY_ACCOUNT, account.as_str(), limit, after, |lead| {
            lead.profile.account_id.as_ref() == Some(account)
        })
        .await
    }

    /// The ids of the leads that a publication may affect. Does not read the leads themselves.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn leads_in_scope(
        &self,
        scope: &Scope,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<LeadId>, StoreError> {
        let page = match scope {
            Scope::Reviews | Scope::HeldUnowned => {
                self.keys_in(COMPLIANCE_REVIEWS, QUEUE, None, limit, after).await?
            }
            Scope::Owner(owner) | Scope::TakenOver(owner) => {
                self.keys_in(BY_OWNER, owner.as_str(), None, limit, after).await?
            }
            Scope::Queued | Scope::InOperations => {
                self.keys_in(OPERATIONS_REVIEWS, QUEUE, None, limit, after).await?
            }
            Scope::Dismissed => self.keys_in(OPERATIONS_REVIEWS, DISMISSED, None, limit, after).await?,
            Scope::Closed => self.keys_in(BY_STATE, CLOSED, None, limit, after).await?,
            Scope::Market(market) => self.keys_in(BY_MARKET, market.as_str(), None, limit, after).await?,
            Scope::State { market, state, sources } => {
                let source = if let Sources::One(source) = sources { Some(source) } else { None };
                self.keys_in(BY_STATE, &state_key(market, state), source, limit, after).await?
            }
        };
        let others = match scope {
            Scope::State { sources: Sources::AllBut(others), .. } => others.clone(),
            _ => BTreeSet::new(),
        };
        let is_other = |sort: &str| sort.split_once('#').is_some_and(|(s, _)| others.contains(s));
        let items = page.items.into_iter().filter(|(_, sort)| !is_other(sort)).map(|(id, _)| id).collect();
        Ok(Page { items, next: page.next })
    }

    /// Leads with an open compliance review, oldest review first.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn compliance_reviews(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        self.leads_in(COMPLIANCE_REVIEWS, QUEUE, limit, after, |lead| lead.in_review_since().is_some()).await
    }

    /// Leads in the operations queue, oldest first.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn operations_reviews(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        self.leads_in(OPERATIONS_REVIEWS, QUEUE, limit, after, |lead| lead.operations.is_some()).await
    }

    /// Leads that operations dismissed although the condition still holds, oldest first.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn dismissed_leads(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Lead>, StoreError> {
        let belongs = |lead: &Lead| lead.operations.is_none() && lead.dismissed.is_some();
        self.leads_in(OPERATIONS_REVIEWS, DISMISSED, limit, after, belongs).await
    }

    /// The index may be behind its items, so leads that no longer belong are left out.
    async fn leads_in(
        &self,
        index: Index,
        partition: &str,
        limit: usize,
        after: Option<&Cursor>,
        belongs: impl Fn(&Lead) -> bool,
    ) -> Result<Page<Lead>, StoreError> {
        let page = self.keys_in(index, partition, None, limit, after).await?;
        let keys: Vec<Key> = page.items.iter().map(|(id, _)| Key::lead(id)).collect();
        let found = self.read(keys.iter().cloned(), [], []).await?;
        let mut items = Vec::new();
        for key in &keys {
            let lead: Option<Lead> = found.get(key).map(get_document).transpose()?;
            items.extend(lead.filter(&belongs));
        }
        Ok(Page { items, next: page.next })
    }

    /// The leads of an index, each with its sort key. With a source, only those whose sort key begins with
    /// it.
    async fn keys_in(
        &self,
        index: Index,
        partition: &str,
        source: Option<&Source>,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<(LeadId, String)>, StoreError> {
        // No identifier contains `#` or a lower character. So keys that begin with the source are between
        // these two, and keys after a cursor are above it with the lowest character added.
        let beginning = source.map_or_else(String::new, |source| format!("{source}#"));
        let from = after.map_or(beginning, |after| format!("{}\u{1}", after.as_str()));
        let mut query = self
            .client()
            .query()
            .table_name(self.leads_table())
            .index_name(index.name)
            .expression_attribute_names("#partition", index.partition)
            .expression_attribute_values(":partition", text(partition))
            .limit(limit.clamp(1, PAGE_MAX) as i32);
        query = match (source, from.is_empty()) {
            (Some(source), _) => query
                .key_condition_expression("#partition = :partition AND #sort BETWEEN :from AND :to")
                .expression_attribute_names("#sort", index.sort)
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(format!("{source}$"))),
            (None, false) => query
                .key_condition_expression("#partition = :partition AND #sort >= :from")
                .expression_attribute_names("#sort", index.sort)
                .expression_attribute_values(":from", text(from)),
            (None, true) => query.key_condition_expression("#partition = :partition"),
        };
        let answer = query.send().await.map_err(failed)?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let mut items = Vec::new();
        let mut last = None;
        for item in answer.items.into_iter().flatten() {
            let sort = get_text(&item, index.sort)?;
            if let Some(id) = get_text(&item, PK)?.strip_prefix("LEAD#") {
                items.push((LeadId::from(id), sort.to_owned()));
            }
            last = Some(sort.to_owned());
        }
        Ok(Page { items, next: last.filter(|_| more).map(Cursor::new) })
    }
}
