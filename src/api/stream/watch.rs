//! New events as they come: read once by a process, whoever listens, and only while somebody does.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rocket::tokio::{
    self,
    sync::{Mutex as AsyncMutex, Semaphore, broadcast},
    task::JoinHandle,
    time::sleep,
};

use crate::{
    api::event::{self, Item},
    auth::guess::network,
    store::{self, Db, event::Search},
};

/// How long after an event those who listen may hear of it.
const PAUSE: Duration = Duration::from_secs(1);

/// How many events are read at a time.
const MOST: i64 = 200;

/// How many readings a listener may be behind; one that is more looks into the database.
const KEPT: usize = 16;

/// How many listeners look into the database at the same time: pages go before.
const READERS: usize = 2;

/// How many streams one network may have open, and which part of all it may have.
const MOST_OF_ONE: usize = 64;
const PART_OF_ONE: usize = 4;

/// Events that were read together.
pub struct News {
    /// The last event before them.
    pub after: i64,
    /// The last of them.
    pub last: i64,
    /// What they tell, in the order in which they were written.
    pub items: Vec<Item>,
}

/// Who listens in this process, and what they hear.
pub struct Watch {
    sender: AsyncMutex<Option<Watching>>,
    /// Held while the database is asked for what is past.
    pub reading: Semaphore,
    places: Mutex<Places>,
    most: usize,
}

/// The task that reads, and by what it tells.
struct Watching {
    tell: broadcast::Sender<Arc<News>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Places {
    taken: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// The place of a stream, free again when it is dropped.
pub struct Place {
    watch: Arc<Watch>,
    network: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.watch.places();
        places.taken -= 1;
        if let Some(network) = self.network
            && let Some(count) = places.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                places.by_network.remove(&network);
            }
        }
    }
}

/// Who has taken the places that are not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Everybody together.
    All,
    /// The network that asks.
    Own,
}

impl Watch {
    /// Makes room for so many streams.
    pub fn new(most: usize) -> Arc<Watch> {
        Arc::new(Watch {
            sender: AsyncMutex::default(),
            reading: Semaphore::new(READERS),
            places: Mutex::default(),
            most,
        })
    }

    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().expect("nothing panics while holding it")
    }

    /// Says whether streams are kept open at all.
    pub fn is_open(&self) -> bool {
        self.most > 0
    }

    /// Takes a place for a stream.
    ///
    /// # Errors
    /// When all are taken, or the network has enough of them.
    pub fn place(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Place, Full> {
        let network = from.and_then(network);
        let mut places = self.places();
        if places.taken >= self.most {
            return Err(Full::All);
        }
        if let Some(network) = network {
            let count = places.by_network.entry(network).or_default();
            if *count >= MOST_OF_ONE.min(self.most.div_ceil(PART_OF_ONE)) {
                return Err(Full::Own);
            }
            *count += 1;
        }
        places.taken += 1;
        Ok(Place {
            watch: self.clone(),
            network,
        })
    }

    /// Listens from now on: to whatever is written after the last event that the database has when this returns.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn listen(
        self: &Arc<Self>,
        db: &Db,
    ) -> store::Result<broadcast::Receiver<Arc<News>>> {
        let mut sender = self.sender.lock().await;
        // One that has panicked reads no more.
        if let Some(watching) = sender.as_ref().filter(|it| !it.task.is_finished()) {
            return Ok(watching.tell.subscribe());
        }
        let last = store::event::last_id(&mut db.reader().await?).await?;
        let (tell, told) = broadcast::channel(KEPT);
        let task = tokio::spawn(watch(self.clone(), db.clone(), tell.clone(), last));
        *sender = Some(Watching { tell, task });
        Ok(told)
    }

    /// Says whether nobody listens any more; whoever comes then begins a new watch.
    async fn is_over(&self, tell: &broadcast::Sender<Arc<News>>) -> bool {
        let mut sender = self.sender.lock().await;
        let is_over = tell.receiver_count() == 0;
        if is_over {
            *sender = None;
        }
        is_over
    }
}

async fn watch(watch: Arc<Watch>, db: Db, tell: broadcast::Sender<Arc<News>>, mut last: i64) {
    while !watch.is_over(&tell).await {
        match read(&db, last).await {
            Ok(Some(news)) => {
                last = news.last;
                let is_more = news.items.len() as i64 >= MOST;
                // Nobody left to hear it: the next round sees that.
                let _ = tell.send(Arc::new(news));
                if is_more {
                    continue;
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("new events cannot be read: {error}"),
        }
        sleep(PAUSE).await;
    }
}

async fn read(db: &Db, after: i64) -> store::Result<Option<News>> {
    let mut conn = db.reader().await?;
    let found = store::event::behind(&mut conn, &Search::default(), after, after, MOST).await?;
    if found.rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(News {
        after,
        last: found.reached,
        items: event::items(&mut conn, found.rows).await?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let watch = Watch::new(MOST_OF_ONE * PART_OF_ONE);
        let from = |text: &str| Some(text.parse().expect("an address"));
        let mut held: Vec<Place> = (0..MOST_OF_ONE)
            .map(|_| {
                let place = watch.place(from("192.0.2.1"));
                place.unwrap_or_else(|full| panic!("{full:?}"))
            })
            .collect();
        assert_eq!(watch.place(from("192.0.2.1")).err(), Some(Full::Own));
        held.extend(watch.place(from("192.0.2.2")).ok());
        while let Ok(place) = watch.place(None) {
            held.push(place);
        }
        assert_eq!(held.len(), MOST_OF_ONE * PART_OF_ONE);
        assert_eq!(watch.place(from("192.0.2.3")).err(), Some(Full::All));
        held.remove(0);
        assert!(watch.place(from("192.0.2.1")).is_ok());
        drop(held);
        assert_eq!(watch.places().taken, 0);
        assert!(watch.places().by_network.is_empty());
    }
}
