//! Late bounces and complaints of the account's messages, each with the suppression that follows.

use std::sync::Arc;

use actix::Context;
use sealpost_domain::engagement::{ComplaintKind, EngagementEvent, EngagementRefusal};
use sealpost_domain::event::StreamId;
use sealpost_domain::message::BounceKind;
use sealpost_domain::metadata::{Channel, Metadata};
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::{Event, Personal};

use super::actor::{AccountActor, tell};
use crate::actors::draw_event_id;
use crate::actors::outcome_rows::suppression_row;
use crate::actors::reports::{ReportCall, ReportRefused, Reported};
use crate::actors::work::Reply;
use crate::log::{Append, AppendFailure, Expected, Lane, OnConflict, Row};

impl AccountActor {
    /// Puts a report on record, and with it the suppression of the address where the report is about the mailbox or its
    /// owner.
    pub(super) fn record_report(
        &mut self,
        call: ReportCall,
        reply: Reply<Result<Reported, ReportRefused>>,
        ctx: &mut Context<Self>,
    ) {
        let (account, message, token) = (call.account, call.message, call.token.clone());
        let metadata = Arc::new(Metadata {
            channel: Channel::Smtp,
            ip: Some(Personal::Known(call.ip)),
            ..Metadata::system(Some(account), &self.ports.node)
        });
        // The state was read from the disk, so that a "no" stands on nothing else.
        let Ok((rows, suppresses)) = report_rows(call, &metadata) else {
            return tell(reply, Ok(Reported::Known));
        };
        let append = Append {
            // Whoever reports can wait and come again, as new mail can.
            lane: Lane::NewMail,
            generation: Some(self.generation.clone()),
            rows,
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let Ok(flight) = self.append(append) else {
            return tell(reply, Err(ReportRefused::Unavailable));
        };
        let (suppressed, now) = (self.suppressed.clone(), self.now());
        Self::when_durable(ctx, flight, move |answer| {
            let told = match answer {
                Ok(_) => Ok(Reported::OnRecord),
                Err(AppendFailure::Conflict { .. }) => Err(ReportRefused::Conflict),
                Err(failure) => {
                    tracing::warn!(message.id = %message, error = %failure, "a report is not on record");
                    Err(ReportRefused::Unavailable)
                }
            };
            // Only now: a call is never turned away for what is not on disk.
            if let (Ok(_), Some(reason)) = (told, suppresses) {
                suppressed.insert(token, reason, now);
            }
            tell(reply, told);
        });
    }
}

/// The rows of a report: the late fact, and the suppression that follows it.
fn report_rows(
    call: ReportCall,
    metadata: &Arc<Metadata>,
) -> Result<(Vec<Row>, Option<SuppressionReason>), EngagementRefusal> {
    let events = call.engagement.decide(call.command)?;
    let suppresses = events.iter().find_map(suppression);
    let late = |(event, sequence): (EngagementEvent, u64)| Row {
        stream: StreamId::engagement(call.message),
        expected: Expected::Sequence(sequence),
        account: Some(call.account),
        recipient_key: Some(call.recipient_key),
        event_id: draw_event_id(),
        event: Event::Engagement(event),
        metadata: metadata.clone(),
    };
    let mut rows: Vec<Row> = events.into_iter().zip(call.sequence..).map(late).collect();
    if let Some(reason) = suppresses {
        rows.push(Row {
            recipient_key: Some(call.recipient_key),
            ..suppression_row(call.account, &call.token, call.recipient, reason, metadata)
        });
    }
    Ok((rows, suppresses))
}

/// What follows for the address.
fn suppression(event: &EngagementEvent) -> Option<SuppressionReason> {
    match event {
        EngagementEvent::BounceReceived(bounce) => {
            (bounce.kind == BounceKind::Hard).then_some(SuppressionReason::HardBounce)
        }
        EngagementEvent::ComplaintReceived(complaint) => match complaint.kind {
            ComplaintKind::Abuse | ComplaintKind::Fraud | ComplaintKind::Other => Some(SuppressionReason::Complaint),
            // Said of the content; the person said nothing.
            ComplaintKind::Virus => None,
        },
    }
}
