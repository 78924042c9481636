//! `leadctl token`: signs in as a member of the local staff.

use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::isolation;
use crate::output::print;
use crate::state::{DIRECTORY, State};

/// Options of `leadctl token`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The user: vera, ana, cora, cleo, otto or sam
    #[arg(long)]
    user: String,
    /// Print JSON with the token, its lifetime and the user's groups
    #[arg(long)]
    json: bool,
}

/// A token for the header `authorization: Bearer …`.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// The ID token.
    pub token: String,
    /// Its lifetime in seconds.
    pub expires_in_s: u64,
    /// The user it was issued to.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignedIn {
    authentication_result: Authentication,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authentication {
    id_token: String,
    expires_in: u64,
}

/// Prints a token.
///
/// # Errors
/// When no stack runs, or there is no such user.
pub async fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let state = State::load(&root.join(DIRECTORY))?;
    let token = issue(&state, &arguments.user).await?;
    if arguments.json {
        print(&serde_json::to_string(&token)?);
    } else {
        print(&token.token);
    }
    Ok(())
}

/// Signs in as `user`, with the password that all local staff share.
///
/// # Errors
/// When there is no such user, or the user pool refuses.
pub async fn issue(state: &State, user: &str) -> anyhow::Result<Token> {
    let user = state.user(user)?;
    // One call to Cognito; an SDK for it would add minutes to a first build.
    let response = isolation::local_client()?
        .post(&state.endpoint)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(
            json!({
                "AuthFlow": "USER_PASSWORD_AUTH",
                "ClientId": state.output("UserPoolClientId")?,
                "AuthParameters": {"USERNAME": user.name, "PASSWORD": state.password},
            })
            .to_string(),
        )
        .send()
        .await
        .with_context(|| format!("no answer from `{}`; is the stack running?", state.endpoint))?;
    let good = response.status().is_success();
    let body = response.text().await.context("the user pool did not answer")?;
    if !good {
        let said = serde_json::from_str::<Value>(&body).unwrap_or_default();
        let message = said.get("message").and_then(Value::as_str).unwrap_or(&body);
        anyhow::bail!("`{}` cannot sign in: {message}", user.name);
    }
    let signed_in: SignedIn = serde_json::from_str(&body).context("the user pool's answer has no token")?;
    Ok(Token {
        token: signed_in.authentication_result.id_token,
        expires_in_s: signed_in.authentication_result.expires_in,
        user: user.name.clone(),
        groups: user.groups.clone(),
    })
}
