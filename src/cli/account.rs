//! `sealpost account`.

use anyhow::Context;
use clap::ValueEnum;
use reqwest::Method;
use serde_json::json;

use super::arguments::{AccountCommand, Place};
use super::control_client::Control;
use super::show::member;

pub(super) async fn account(command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::Create {
            place,
            name,
            login,
            password_stdin,
        } => create(place, name, login, password_stdin).await,
        AccountCommand::Tls { place, account, tls } => {
            let word = tls.to_possible_value().map(|value| value.get_name().to_owned());
            let body = json!({ "tls": word });
            let path = format!("/accounts/{}/tls", account.to_hex());
            Control::reach(&place)
                .await?
                .command(Method::POST, &path, Some(body), |answer| {
                    format!(
                        "tls {}: on record at position {}",
                        member(answer, "tls"),
                        member(answer, "position")
                    )
                })
                .await
        }
        AccountCommand::Unpark { place, account } => {
            let path = format!("/accounts/{}/unpark", account.to_hex());
            Control::reach(&place)
                .await?
                .command(Method::POST, &path, None, |answer| {
                    format!("unpark: on record at position {}", member(answer, "position"))
                })
                .await
        }
    }
}

async fn create(place: Place, name: String, login: String, password_stdin: bool) -> anyhow::Result<()> {
    let (password, drawn) = if password_stdin {
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .context("no password on standard input")?;
        (line.trim_end_matches(['\r', '\n']).to_owned(), false)
    } else {
        (draw_password()?, true)
    };
    let body = json!({ "name": name, "login": login, "password": password });
    Control::reach(&place)
        .await?
        .command(Method::POST, "/accounts", Some(body), |answer| {
            let mut text = format!(
                "account {}\nuser    {}",
                member(answer, "account"),
                member(answer, "user")
            );
            if drawn {
                text.push_str(&format!("\npassword {password}  (shown once)"));
            }
            text
        })
        .await
}

/// A password nobody has to think of: 25 characters of 32, 125 random bits.
pub(super) fn draw_password() -> anyhow::Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0_u8; 25];
    aws_lc_rs::rand::fill(&mut random).ok().context("no random numbers")?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    Ok(random.iter().filter_map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_is_long_and_new() {
        let (one, other) = (draw_password().unwrap(), draw_password().unwrap());
        assert_eq!(one.len(), 25);
        assert_ne!(one, other);
    }
}
