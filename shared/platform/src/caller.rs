//! The caller, from the claims of a token that API Gateway's JWT authorizer has verified.
//!
//! The default is to deny: 401 without claims, 403 without a known group.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;

use crate::problem::{Challenge, Problem};

/// The claim that holds the groups, unless the deployment names another.
pub const GROUPS_CLAIM_DEFAULT: &str = "cognito:groups";

/// The `token_use` of an ID token. An access token has no email address, and a refresh token has no current
/// groups.
const ID_TOKEN: &str = "id";
/// The `typ` of tokens that are not meant for an API.
const OTHER_TOKENS: [&str; 3] = ["refresh", "offline", "logout"];

/// A group of callers with the same permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Reads leads, histories and reports, as every other group can.
    Viewer,
    /// Works leads.
    Rep,
    /// Decides on held leads.
    Compliance,
    /// Triages, edits policies and the directory.
    Operations,
    /// Looks after accounts.
    CustomerSuccess,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Rep, Self::Compliance, Self::Operations, Self::CustomerSuccess];

    /// The name in a token.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Rep => "rep",
            Self::Compliance => "compliance",
            Self::Operations => "operations",
            Self::CustomerSuccess => "customer-success",
        }
    }

    /// The group with that name. The match is exact: a similar name gives no permission.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

/// The person or program that makes a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject, which the audit records.
    pub subject: String,
    /// The sign-in name, or the subject if the token has none.
    pub username: String,
    /// The email address, if the identity provider has verified it (`email_verified`).
    pub email: Option<String>,
    /// The known groups; others are ignored.
    pub groups: BTreeSet<Group>,
}

impl Caller {
    /// The caller of a request.
    ///
    /// # Errors
    /// 401 without verified claims, without a subject, or for a token that is no ID token; 403 without a
    /// known group. Nothing is read or written before that.
    pub fn of(event: &ApiGatewayV2httpRequest, groups_claim: &str) -> Result<Self, Problem> {
        let authorizer = event.request_context.authorizer.as_ref();
        let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref()).ok_or_else(no_token)?;
        let caller = Self::from_claims(&jwt.claims, groups_claim)?;
        if caller.groups.is_empty() {
            return Err(Problem::forbidden("the token has no known group").of_kind("no-group"));
        }
        Ok(caller)
    }

    /// The caller in verified claims.
    ///
    /// # Errors
    /// 401 without a subject, or for a token that is no ID token.
    pub fn from_claims(claims: &HashMap<String, String>, groups_claim: &str) -> Result<Self, Problem> {
        let claim = |name: &str| claims.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let subject = claim("sub").ok_or_else(no_token)?;
        // Cognito has `token_use`, Keycloak has `typ`; an issuer with neither has one kind of token.
        let is_for_something_else = claim("token_use").is_some_and(|kind| kind != ID_TOKEN)
            || claim("typ")
                .is_some_and(|kind| OTHER_TOKENS.iter().any(|other| kind.eq_ignore_ascii_case(other)));
        if is_for_something_else {
            let detail = "send the ID token; this token has another use";
            return Err(Problem::unauthorized(Challenge::Bearer, detail).of_kind("wrong-token"));
        }
        let names = ["cognito:username", "username", "preferred_username"];
        let verified = claim("email_verified") == Some("true");
        Ok(Self {
            subject: subject.to_owned(),
            username: names.into_iter().find_map(claim).unwrap_or(subject).to_owned(),
            email: claim("email").filter(|_| verified).map(str::to_owned),
            groups: claim(groups_claim).map(|text| groups(text, groups_claim)).unwrap_or_default(),
        })
    }

    /// Whether the caller is in the group. [`Group::Viewer`] is implied by every other.
    #[must_use]
    pub fn is_in(&self, group: Group) -> bool {
        self.groups.contains(&group) || (group == Group::Viewer && !self.groups.is_empty())
    }

    /// Requires membership in at least one of the groups. An empty list lets nobody through.
    ///
    /// # Errors
    /// 403 otherwise.
    pub fn require_any(&self, groups: &[Group]) -> Result<(), Problem> {
        if groups.iter().any(|group| self.is_in(*group)) {
            return Ok(());
        }
        let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
        let detail = format!("this requires one of these groups: {}", names.join(", "));
        Err(Problem::forbidden(detail))
    }
}

/// Shows only subject and groups: logs must not hold names and addresses.
impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, groups, .. } = self;
        formatter
            .debug_struct("Caller")
            .field("subject", subject)
            .field("groups", groups)
            .finish_non_exhaustive()
    }
}

fn no_token() -> Problem {
    Problem::unauthorized(Challenge::Bearer, "send a valid token in the `Authorization` header")
}

/// Reads the claim in each of its forms: a JSON array as text, `a, b`, or API Gateway's form of a list, `[a
/// b]`. In the last form, spaces separate names only in Cognito's own claim, where no group's name has one.
/// Elsewhere `[Sales operations]` may be a single group, which is not `operations`.
fn groups(claim: &str, name_of_claim: &str) -> BTreeSet<Group> {
    if let Ok(names) = serde_json::from_str::<Vec<String>>(claim) {
        return names.iter().filter_map(|name| Group::from_name(name)).collect();
    }
    let bracketed = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let spaces_part = bracketed.is_some() && name_of_claim == GROUPS_CLAIM_DEFAULT;
    let parts = |character: char| character == ',' || (spaces_part && character.is_whitespace());
    bracketed.unwrap_or(claim).split(parts).map(str::trim).filter_map(Group::from_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: &[(&str, &str)]) -> Result<Caller, Problem> {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller::from_claims(&claims, GROUPS_CLAIM_DEFAULT)
    }

    #[test]
    fn groups_are_read_in_each_way_they_come() {
        let both = BTreeSet::from([Group::Compliance, Group::CustomerSuccess]);
        for claim in [
            "[compliance customer-success]",
            r#"["compliance","customer-success"]"#,
            "compliance,customer-success",
            "compliance, customer-success",
            "[compliance, customer-success]",
        ] {
            assert_eq!(groups(claim, GROUPS_CLAIM_DEFAULT), both, "{claim}");
        }
        for name_of_claim in [GROUPS_CLAIM_DEFAULT, "groups"] {
            for claim in ["[compliance]", "compliance", r#"["compliance"]"#] {
                assert_eq!(groups(claim, name_of_claim), BTreeSet::from([Group::Compliance]), "{claim}");
            }
        }
        assert_eq!(groups(r#"["compliance","customer-success"]"#, "groups"), both);
        assert_eq!(groups("compliance, customer-success", "groups"), both);
    }

    #[test]
    fn only_an_id_token_is_accepted() {
        let kind = |name: &str, value: &str| {
            caller(&[("sub", "s-1"), ("cognito:groups", "viewer"), (name, value)])
                .map(|_| ())
                .map_err(|p| p.status)
        };
        assert_eq!(kind("token_use", "id"), Ok(()));
        assert_eq!(kind("iss", "https://elsewhere.example/"), Ok(()), "an issuer without these claims");
        assert_eq!(kind("typ", "Bearer"), Ok(()));
        for (name, value) in [
            ("token_use", "access"),
            ("token_use", "refresh"),
            ("token_use", "ID"),
            ("typ", "Refresh"),
            ("typ", "offline"),
        ] {
            assert_eq!(kind(name, value), Err(401), "{name}: {value}");
        }
    }

    #[test]
    fn a_caller_without_a_known_group_is_refused() {
        let of = |groups: &str| {
            let event = json!({"requestContext": {
                "http": {"method": "GET"},
                "authorizer": {"jwt": {"claims": {"sub": "s-1", "cognito:groups": groups}, "scopes": []}},
            }});
            Caller::of(&serde_json::from_value(event).unwrap(), GROUPS_CLAIM_DEFAULT)
                .map(|_| ())
                .map_err(|p| p.status)
        };
        assert_eq!(of("[viewer]"), Ok(()));
        for none in ["[]", "", "[admins]", "[Sales operations-team]"] {
            assert_eq!(of(none), Err(403), "{none}");
        }
    }

    #[test]
    fn a_group_whose_name_holds_a_known_one_is_not_that_one() {
        for claim in ["Sales operations", r#"["Sales operations"]"#, "Sales operations, Sales compliance"] {
            assert_eq!(groups(claim, GROUPS_CLAIM_DEFAULT), BTreeSet::new(), "{claim}");
            assert_eq!(groups(claim, "groups"), BTreeSet::new(), "{claim}");
        }
        assert_eq!(groups("[Sales operations]", "groups"), BTreeSet::new());
    }

    #[test]
    fn an_unknown_group_gives_no_permission() {
        for claim in
            ["", "[]", "[]]", "[admins Compliance compliance-readonly]", "{\"compliance\":1}", "null"]
        {
            assert_eq!(groups(claim, GROUPS_CLAIM_DEFAULT), BTreeSet::new(), "{claim}");
        }
    }

    #[test]
    fn nobody_is_let_through_by_default() {
        let nobody = caller(&[("sub", "u-1")]).unwrap();
        for group in Group::ALL {
            assert_eq!(nobody.require_any(&[group]).unwrap_err().status, 403);
        }
        let rep = caller(&[("sub", "u-1"), ("cognito:groups", "[rep]")]).unwrap();
        assert_eq!(rep.require_any(&[]).unwrap_err().status, 403);
        assert_eq!(rep.require_any(&[Group::Compliance, Group::Operations]).unwrap_err().status, 403);
        assert!(rep.require_any(&[Group::Operations, Group::Rep]).is_ok());
    }

    #[test]
    fn any_group_may_view_and_viewing_is_no_other_group() {
        for group in Group::ALL {
            let member = caller(&[("sub", "u-1"), ("cognito:groups", group.name())]).unwrap();
            assert!(member.require_any(&[Group::Viewer]).is_ok());
        }
        let viewer = caller(&[("sub", "u-1"), ("cognito:groups", "viewer")]).unwrap();
        assert_eq!(viewer.require_any(&[Group::Rep]).unwrap_err().status, 403);
    }

    #[test]
    fn no_verified_claims_is_unauthorized() {
        assert_eq!(caller(&[]).unwrap_err().status, 401);
        assert_eq!(caller(&[("sub", " ")]).unwrap_err().status, 401);
        let event = json!({"requestContext": {"http": {"method": "GET"}}});
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        assert_eq!(Caller::of(&event, GROUPS_CLAIM_DEFAULT).unwrap_err().status, 401);
    }

    #[test]
    fn a_request_behind_the_authorizer_has_its_caller() {
        let claims = json!({"sub": "u-1", "cognito:username": "ana", "cognito:groups": "[rep viewer]"});
        let authorizer = json!({"jwt": {"claims": claims, "scopes": null}});
        let event = json!({"requestContext": {"http": {"method": "GET"}, "authorizer": authorizer}});
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        let caller = Caller::of(&event, GROUPS_CLAIM_DEFAULT).unwrap();
        assert_eq!((caller.subject.as_str(), caller.username.as_str()), ("u-1", "ana"));
        assert_eq!(caller.groups, BTreeSet::from([Group::Viewer, Group::Rep]));
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified_and_stays_out_of_logs() {
        let claimed = [("sub", "u-1"), ("email", "ana@example.com")];
        assert_eq!(caller(&claimed).unwrap().email, None);
        let vouched = caller(&[claimed[0], claimed[1], ("email_verified", "true")]).unwrap();
        assert_eq!(vouched.email.as_deref(), Some("ana@example.com"));
        assert!(!format!("{vouched:?}").contains("ana@example.com"));
    }
}
