//! Accounts and their users: listed, opened, registered.

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::account::AccountCommand;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::tls_rule::AccountTls;
use sealpost_domain::user::Role;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ControlParts;
use super::call::{account, accounts, answer, members, operator};
use crate::access::{NewAccount, NewUser};
use crate::actors::{Manage, Managed};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::fields::Fields;

/// Longest name of an account, in bytes.
const NAME_BYTES_MAX: usize = limits::ACCOUNT_NAME_BYTES_MAX as usize;

/// `GET /accounts`
pub(super) async fn list(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let listed = accounts(&parts).await;
    let shown = |accounts: Vec<_>| json!({ "accounts": accounts });
    answer(
        &request,
        listed.map(|all| shown(all.iter().map(|account| account.to_hex()).collect())),
    )
}

/// `POST /accounts`
pub(super) async fn create(
    request: HttpRequest,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    let created = async {
        let mut fields = members(&parts, payload).await?;
        let new = read_account(&mut fields)?;
        fields.finish()?;
        if let Some(owner) = &new.owner {
            must_be_free(&parts, &owner.login).await?;
        }
        let metadata = Metadata::clone(&operator(&parts, &request, None));
        let enrolled = parts.enrolment.open_account(metadata, new).await?;
        Ok(json!({ "account": enrolled.account.to_hex(), "user": enrolled.user.map(|user| user.to_hex()) }))
    };
    answer(&request, created.await)
}

/// `POST /accounts/{id}/unpark`
pub(super) async fn unpark(
    request: HttpRequest,
    id: web::Path<String>,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    let unparked = async {
        let account = known(&parts, &id).await?;
        let metadata = Metadata::clone(&operator(&parts, &request, None));
        let position = parts.front.accounts.unpark(account, metadata).await?;
        Ok(json!({ "account": account.to_hex(), "position": position }))
    };
    answer(&request, unparked.await)
}

/// `POST /accounts/{id}/tls`
pub(super) async fn tls(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    let changed = async {
        let account = known(&parts, &id).await?;
        let mut fields = members(&parts, payload).await?;
        let tls = read_tls(&mut fields)?;
        fields.finish()?;
        let metadata = operator(&parts, &request, Some(account));
        let command = Manage::Account(AccountCommand::ChangeTlsDemand { tls });
        let position = match parts.front.accounts.manage(account, metadata, command).await? {
            Managed::Done { position } => Some(position),
            _ => None,
        };
        Ok::<Value, Fault>(json!({ "account": account.to_hex(), "tls": tls, "position": position }))
    };
    answer(&request, changed.await)
}

fn read_tls(fields: &mut Fields) -> Result<AccountTls, Fault> {
    match fields.text_required("tls")?.as_str() {
        "default" => Ok(AccountTls::Default),
        "always" => Ok(AccountTls::Always),
        "authenticated" => Ok(AccountTls::Authenticated),
        "immediate" => Ok(AccountTls::Immediate),
        _ => Err(fields.wrong("tls", "Please enter default, always, authenticated or immediate")),
    }
}

/// The account of this id, when there is one.
async fn known(parts: &ControlParts, id: &str) -> Result<AccountId, Fault> {
    let account: AccountId = id.parse().map_err(|_| ErrorCode::UnknownAccount)?;
    if accounts(parts).await?.contains(&account) {
        Ok(account)
    } else {
        Err(ErrorCode::UnknownAccount.into())
    }
}

/// `POST /users`
pub(super) async fn register(
    request: HttpRequest,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    let registered = async {
        let mut fields = members(&parts, payload).await?;
        let account = account(&parts, fields.text("account")?).await?;
        let new = read_user(&mut fields)?.ok_or_else(|| fields.missing("login"))?;
        fields.finish()?;
        let metadata = Metadata::clone(&operator(&parts, &request, Some(account)));
        let user = parts.enrolment.register_user(account, metadata, new).await?;
        Ok::<Value, Fault>(json!({ "account": account.to_hex(), "user": user.to_hex() }))
    };
    answer(&request, registered.await)
}

/// Asked before an account is opened that would stay without its owner. The log itself decides.
async fn must_be_free(parts: &ControlParts, login: &str) -> Result<(), Fault> {
    let (log, token) = (parts.front.log.clone(), parts.enrolment.login_token(login)?);
    let owner = parts.front.read_log(move || {
        log.login(&token)
            .map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading a sign-in address", &failure))
    });
    match owner.await? {
        None => Ok(()),
        Some(_) => Err(ErrorCode::LoginTaken.into()),
    }
}

fn read_account(fields: &mut Fields) -> Result<NewAccount, Fault> {
    let name = fields.text_required("name")?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(fields.wrong("name", format!("Please enter 1 to {NAME_BYTES_MAX} bytes")));
    }
    let contact = fields.text("contact")?;
    let owner = read_user(fields)?;
    // Whoever signs in is told, where nobody else is named.
    let contact = contact.or_else(|| owner.as_ref().map(|owner| owner.login.clone()));
    Ok(NewAccount {
        name,
        contact: contact.ok_or_else(|| fields.missing("contact"))?,
        owner,
    })
}

/// A user, where a sign-in address is named.
fn read_user(fields: &mut Fields) -> Result<Option<NewUser>, Fault> {
    let Some(login) = fields.text("login")? else {
        return Ok(None);
    };
    let password = Zeroizing::new(fields.text_required("password")?);
    let role = match fields.text("role")?.as_deref() {
        None | Some("owner") => Role::Owner,
        Some("admin") => Role::Admin,
        Some("developer") => Role::Developer,
        Some("auditor") => Role::Auditor,
        Some(_) => return Err(fields.wrong("role", "Please enter owner, admin, developer or auditor")),
    };
    Ok(Some(NewUser { login, password, role }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<NewAccount, Fault> {
        read_account(&mut Fields::of_body(json.as_bytes()).unwrap())
    }

    #[test]
    fn an_account_has_a_name_and_somebody_to_tell() {
        let new = read(r#"{"name":"Shop","login":"ann@x.org","password":"correct horse battery"}"#).unwrap();
        assert_eq!(
            (new.contact.as_str(), new.owner.map(|owner| owner.role)),
            ("ann@x.org", Some(Role::Owner))
        );
        let new = read(r#"{"name":"Shop","contact":"ops@x.org"}"#).unwrap();
        assert!(new.owner.is_none());
        for (json, field) in [
            ("{}", "name"),
            (r#"{"name":""}"#, "name"),
            (r#"{"name":"Shop"}"#, "contact"),
            (r#"{"name":"Shop","login":"ann@x.org"}"#, "password"),
            (
                r#"{"name":"Shop","login":"a@x.org","password":"p","role":"king"}"#,
                "role",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().field.as_deref(), Some(field), "{json}");
        }
    }
}
