//! What the API costs with a full catalogue: how long requests take at a fixed rate, what a list
//! of everything takes, and the server's memory.

mod catalogue;
mod load;
mod served;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use load::{Call, Took};
use served::Served;

/// How many images the catalogue holds.
const IMAGES: u32 = 10_000;

/// How many requests are sent a second.
const RATE: u32 = 500;

/// How many more are sent that only tell how busy the machine is meanwhile.
const BESIDE: u32 = 50;

/// For how long requests are sent, in seconds.
const SECONDS: u32 = 20;

/// For how long those are sent that only tell what a request costs at least.
const BASELINE_SECONDS: u32 = 5;

const LATENCY_LIMIT: Duration = Duration::from_millis(20);
const MEMORY_LIMIT: u64 = 100 << 20;

/// Prints one line a case: its name, what it took and what it may take. Fails
/// if a limit is missed.
pub(crate) fn bench() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let identity = served::identity(folder.path())?;
    let images = catalogue::fill(folder.path(), &identity, IMAGES)?;
    let server = Served::start(folder.path(), identity)?;

    let walk = walk(&server)?;
    let named = server.named(IMAGES / catalogue::VERSIONS)?;
    show("list-images-by-name", &load::one_by_one(&named)?);
    let health = |count| vec![server.health(); count as usize];
    show("baseline-health", &load::run(&health(RATE * BASELINE_SECONDS), RATE)?.took);
    let managed = server.call("POST", "/ListImages", Some(&json!({"owner": "Amazon"})))?;
    let managed = vec![managed; (RATE * BASELINE_SECONDS) as usize];
    show("baseline-signed", &load::run(&managed, RATE)?.took);

    let mut draws = Draws(0x9e37_79b9_7f4a_7c15);
    let calls: io::Result<Vec<Call>> = (0..RATE * SECONDS)
        .map(|n| match n % 2 {
            0 => {
                let image = &images[draws.below(images.len())];
                let path = format!("/GetImage?imageBuildVersionArn={}", encode(image));
                server.call("GET", &path, None)
            }
            _ => server.call("POST", "/ListImages", Some(&walk[draws.below(walk.len())])),
        })
        .collect();
    let (calls, health) = (calls?, health(BESIDE * SECONDS));
    let (load, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| load::run(&health, BESIDE));
        let load = load::run(&calls, RATE);
        (load, beside.join().unwrap_or_else(|_| Err(io::Error::other("a client broke"))))
    });
    let load = load?;
    show("baseline-beside", &beside?.took);
    say(&format!("rate {:.1} requests a second, of {RATE} asked for", load.rate));
    let [mut get, mut list] = [Vec::new(), Vec::new()];
    for (n, took) in load.took.iter().enumerate() {
        if n % 2 == 0 { get.push(*took) } else { list.push(*took) }
    }
    let slowest = show("get-image", &get).max(show("list-images", &list));
    let memory = server.peak_memory()?;
    say(&format!("memory {} MiB, limit {} MiB", memory >> 20, MEMORY_LIMIT >> 20));
    server.end()?;
    if slowest > LATENCY_LIMIT {
        return Err(io::Error::other("one request in a hundred took longer than its limit"));
    }
    if memory > MEMORY_LIMIT {
        return Err(io::Error::other("the server took more memory than its limit"));
    }
    Ok(())
}

/// Lists all images, page by page, and returns the request of each page. A page must cost the
/// same wherever in the list it is.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn walk(server: &Served) -> io::Result<Vec<serde_json::Value>> {
    let (mut requests, mut times, mut listed) = (vec![json!({})], Vec::new(), 0);
    let began = Instant::now();
    loop {
        let request = requests.last().cloned().unwrap_or_default();
        let call = server.call("POST", "/ListImages", Some(&request))?;
        let (mut answer, took) = load::answer(&call)?;
        times.push(took);
        listed += answer["imageVersionList"].as_array().map_or(0, Vec::len);
        match answer["nextToken"].take() {
            serde_json::Value::Null => break,
            token => requests.push(json!({ "nextToken": token })),
        }
    }
    let whole = began.elapsed().as_secs_f64();
    if listed != IMAGES as usize {
        return Err(io::Error::other(format!("{listed} of {IMAGES} images were listed")));
    }
    say(&format!("full-list {whole:.2} s, {listed} images on {} pages", requests.len()));
    let (first, last) = times.split_at(times.len() / 2);
    show("full-list-first-half", &Vec::from(first));
    show("full-list-second-half", &Vec::from(last));
    Ok(requests)
}

/// Prints how long requests took and returns what one in a hundred exceeded.
fn show(name: &str, took: &Took) -> Duration {
    let mut sorted = took.clone();
    sorted.sort_unstable();
    let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let [half, most, all] = [at(50), at(99), at(100)].map(millis);
    say(&format!("{name} p50 {half:.2} ms, p99 {most:.2} ms, max {all:.2} ms"));
    at(99)
}

/// Numbers without an order that are the same each time (xorshift).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Returns a text as a query has it.
fn encode(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
fn say(line: &str) {
    println!("{line}");
}
