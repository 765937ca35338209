//! Follows the log of changes: for the graphs in memory, and for whoever watches relation tuples.

use std::sync::Arc;

use database::Polling;
use tokio::sync::watch;

use crate::Permissions;
use crate::components::graph::{Follower, Rhythm};

impl Permissions {
    /// Runs until `stop` turns true, and then ends the streams of all clients, which would otherwise delay the shutdown.
    pub async fn follow_changes(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let Self { database, clock, feed, graphs, .. } = &*self;
        let mut follower = Follower::new(database.clone(), clock.clone(), feed.clone(), graphs.clone());
        let mut polling = Polling::new(feed.demand().clone(), Rhythm::of(database).interval);
        loop {
            tokio::select! {
                biased;
                // A closed channel counts as a stop.
                _ = stop.wait_for(|stop| *stop) => break,
                () = async {
                    if !follower.catch_up().await {
                        follower.ask().await;
                    }
                } => {}
            }
            if feed.is_watched() {
                feed.demand().note();
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = follower.loaded() => {}
                () = polling.due() => {}
            }
        }
        self.stopping.send_replace(true);
    }
}
