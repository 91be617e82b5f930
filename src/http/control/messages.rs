//! A message of any account, with its timeline.

use actix_web::{HttpRequest, HttpResponse, web};

use super::ControlParts;
use super::call::answer;
use crate::http::message_lookup::{activity, find, read_id, timeline};
use crate::http::message_view::shown_message;

/// `GET /messages/{id}`
pub(super) async fn show(request: HttpRequest, id: web::Path<String>, parts: web::Data<ControlParts>) -> HttpResponse {
    let shown = async {
        let message = read_id(&id)?;
        let account = find(&parts.front, message).await?.account;
        let row = activity(&parts.front, account, message).await?;
        let lines = timeline(&parts.front, account, message).await?;
        Ok(shown_message(&row, &lines))
    };
    answer(&request, shown.await)
}
