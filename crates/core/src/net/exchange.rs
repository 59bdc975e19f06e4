//! What happens on one connection while it is polled.

use std::future::Future;
use std::pin::pin;

/// Runs `exchange` on `connection`, which does its work only while it is polled: a task of its own would need a runtime to
/// outlive us in.
pub(super) async fn alongside<T>(connection: impl Future, exchange: impl Future<Output = T>) -> T {
    let mut connection = pin!(connection);
    let mut exchange = pin!(exchange);
    let mut ended = false;
    loop {
        tokio::select! {
            biased;
            outcome = &mut exchange => return outcome,
            // How it ended, the exchange is told.
            _ = &mut connection, if !ended => ended = true,
        }
    }
}
