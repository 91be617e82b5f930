//! Counts how many messages of 10 KiB one thread signs in a second, with each kind of DKIM key and with both.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::DateTime;
use sealpost::delivery::dkim::{DkimKeyPair, DkimSigner, Signable, generate_ed25519, generate_rsa_2048};

/// How long each is measured.
const SPAN: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn Error>> {
    let body = "It is on its way, and will be with you soon.\r\n".repeat(222);
    let message = format!(
        "From: shop@example.org\r\nTo: ann@example.net\r\nSubject: Your order\r\n\
         Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    );
    let signer = |pair: &DkimKeyPair| DkimSigner::new("example.org", "s1", &pair.private_pkcs8_der);
    let (rsa, ed25519) = (signer(&generate_rsa_2048()?)?, signer(&generate_ed25519()?)?);
    for (name, signers) in [
        ("none, read alone", vec![]),
        ("rsa-sha256", vec![&rsa]),
        ("ed25519-sha256", vec![&ed25519]),
        ("both", vec![&rsa, &ed25519]),
    ] {
        let rate = rate(&message, &signers)?;
        println!("dkim sign, {name}: {rate:.0} messages/s");
    }
    Ok(())
}

/// Messages a second.
fn rate(message: &str, signers: &[&DkimSigner]) -> Result<f64, Box<dyn Error>> {
    let now = DateTime::from_timestamp(1_795_600_800, 0).ok_or("a time")?;
    let (began, mut signed) = (Instant::now(), 0_u32);
    while began.elapsed() < SPAN {
        let signable = Signable::read(&[message.as_bytes()])?;
        for signer in signers {
            std::hint::black_box(signer.sign(&signable, now)?);
        }
        signed = signed.saturating_add(1);
    }
    Ok(f64::from(signed) / began.elapsed().as_secs_f64())
}
