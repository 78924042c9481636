//! Accounts: one account, its history, churn signals, and the end of a retention motion.

use crate::call::{Call, refusal};
use crate::{history, sight};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use platform::problem::Problem;
use platform::response;
use policy::ids::{AccountId, Subject};
use rules::account::{AccountCommand, AccountInput};
use rules::entry::Actor;
use service::problem;

fn account_id(call: &Call<'_>) -> Result<AccountId, Problem> {
    call.request.path_parameter("id").map(AccountId::from)
}

/// `GET /v1/accounts/{id}`
pub async fn show(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let account = call.service.require_account(&account_id(call)?).await?;
    let etag = account.seq.to_string();
    Ok(response::json(200, &sight::account(&account, call.caller), Some(&etag)))
}

/// `GET /v1/accounts/{id}/audit`
pub async fn audit(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let id = account_id(call)?;
    call.service.require_account(&id).await?;
    history::show(call, &Subject::Account(id)).await
}

/// `POST /v1/accounts/{id}/churn-signals`
pub async fn signal(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let input = api::churn_signal(&call.body()?, call.now).map_err(|found| Problem::of_fields(&found))?;
    apply(call, "churn-signal", input).await
}

/// `POST /v1/accounts/{id}/retention`
pub async fn retention(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let input = api::retention(&call.body()?).map_err(|found| Problem::of_fields(&found))?;
    apply(call, "retention", input).await
}

async fn apply(
    call: &Call<'_>,
    what: &str,
    input: AccountInput,
) -> Result<ApiGatewayV2httpResponse, Problem> {
    let id = account_id(call)?;
    call.service.require_account(&id).await?;
    let (cause, is_keyed) = call.cause(what, id.as_str())?;
    let actor = Actor::staff(&call.caller.subject);
    let command = AccountCommand { account: id.clone(), actor, cause: cause.clone(), input };
    let done = call
        .service
        .account(&command, is_keyed.then_some(&cause), call.now)
        .await
        .map_err(|e| problem(&e))?;
    refusal(done.outcome, "account")?;
    let account = call.service.require_account(&id).await?;
    Ok(response::json(200, &sight::account(&account, call.caller), None))
}
