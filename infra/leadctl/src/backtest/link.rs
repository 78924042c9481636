//! Links from a report to leads.

/// Stands for the lead's id in a link.
const LEAD: &str = "{lead}";

/// The address of a lead's page.
#[derive(Debug, Clone)]
pub(super) struct LeadLink(String);

impl LeadLink {
    /// Parses an address with `{lead}` in it.
    ///
    /// # Errors
    /// When it is not a web address, or lacks `{lead}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        if is_web && text.contains(LEAD) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("write a web address with `{LEAD}` in it, as in https://crm.example/leads/{LEAD}"))
        }
    }

    /// The link to a lead. Ids have letters, digits and `.` `_` `:` `@` `-`, which are all valid in a path.
    pub fn to(&self, lead: &str) -> String {
        self.0.replace(LEAD, lead)
    }
}
