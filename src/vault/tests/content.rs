//! Content: kept and read back, and what is refused.

use super::*;

#[test]
fn each_recipient_reads_head_and_shared_part_even_after_a_restart() {
    let world = world();
    let shared = b"Dear reader, ".repeat(1_000);
    let call = world.call(
        &shared,
        &[("ann@example.org", b"To: Ann\r\n"), ("bob@example.org", b"To: Bob\r\n")],
    );
    let kept = world.keep(call).unwrap();
    let world = world.reopened();
    for ((message, kept), head) in kept.iter().zip(["To: Ann\r\n", "To: Bob\r\n"]) {
        assert_eq!(kept.content.parts.len(), 2);
        assert_eq!(
            world.content(*message, &kept.content),
            [head.as_bytes(), &shared].concat()
        );
    }
}
