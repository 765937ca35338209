//! Follows the log of changes: for the graphs in memory, and for whoever watches relation tuples.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::Permissions;
use crate::components::graph::Follower;

/// As often as the change feed of the database: a change of another process must be seen within a second.
const INTERVAL: Duration = Duration::from_millis(250);

impl Permissions {
    /// Runs until `stop` turns true. Whoever watches is told then.
    pub async fn follow_changes(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let Self { database, clock, feed, graphs, .. } = &*self;
        let mut follower = Follower::new(database.clone(), clock.clone(), feed.clone(), graphs.clone());
        loop {
            tokio::select! {
                biased;
                // A closed channel counts as a stop.
                _ = stop.wait_for(|stop| *stop) => break,
                () = follower.ask() => {}
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = follower.loaded() => {}
                () = feed.asked() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
        feed.end();
    }
}
