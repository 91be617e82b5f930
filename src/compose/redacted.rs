//! Shows the types of this room in `Debug` by sizes and kinds alone: mail in a program log is a leak.

use std::fmt::{Debug, Formatter, Result};

use super::draft::{Address, Attachment, Draft, InlineImage, Recipient};
use super::merge::Merge;
use super::mime::{ComposedCall, ComposedHead};
use super::show::{ShownAddress, ShownAttachment, ShownMessage};
use super::submitted::AdoptedMessage;

/// Writes `Debug` that shows the named numbers and nothing else.
macro_rules! redacted {
    ($($name:ident { $($shown:ident: $value:expr),* })*) => {
        $(impl Debug for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                let mut shown = f.debug_struct(stringify!($name));
                $(shown.field(stringify!($shown), &($value)(self));)*
                shown.finish_non_exhaustive()
            }
        })*
    };
}

redacted! {
    Address {}
    Recipient { id: |this: &Self| this.id, kind: |this: &Self| this.kind }
    Attachment { size_bytes: |this: &Self| this.content.len() }
    InlineImage { size_bytes: |this: &Self| this.content.len() }
    Draft {
        recipients: |this: &Self| this.to.len(),
        headers: |this: &Self| this.headers.len(),
        attachments: |this: &Self| this.attachments.len(),
        inline_images: |this: &Self| this.inline_images.len(),
        audience: |this: &Self| this.audience
    }
    Merge { language: |this: &Self| this.language, own: |this: &Self| this.own.len() }
    ComposedCall { heads: |this: &Self| this.heads.len(), size_bytes: |this: &Self| this.shared_body.len() }
    ComposedHead { size_bytes: |this: &Self| this.head.len() }
    AdoptedMessage { commands: |this: &Self| this.commands.len() }
    ShownAddress {}
    ShownAttachment { size_bytes: |this: &Self| this.content.len() }
    ShownMessage { headers: |this: &Self| this.headers.len(), attachments: |this: &Self| this.attachments.len() }
}
