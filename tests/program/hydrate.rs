//! `mtlcore data hydrate` against a server of this machine; no test reaches the network.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::common::{Output, Place, finished};

const TOKEN: &str = "AAAAAAAAAAAAAAAAsecret%2Fword";

/// What a server answers to a call.
struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Reply {
    fn new(status: u16, headers: &str, body: impl ToString) -> Self {
        Self { status, headers: headers.to_owned(), body: body.to_string() }
    }

    /// The posts of an API where ids that end in 7 are gone and those that end in 3 are somebody's own.
    fn posts(ids: &[String]) -> Self {
        let data: Vec<Value> = ids.iter().filter(|id| !id.ends_with(['3', '7'])).map(|id| post(id)).collect();
        let errors: Vec<Value> = ids.iter().filter(|id| id.ends_with(['3', '7'])).map(|id| missing(id)).collect();
        let mut body = json!({});
        // As the API does: an empty list is not there.
        if !data.is_empty() {
            body["data"] = data.into();
        }
        if !errors.is_empty() {
            body["errors"] = errors.into();
        }
        Self::new(200, "", body)
    }
}

fn post(id: &str) -> Value {
    json!({"id": id, "text": format!("flu &amp; post\n{id}"), "edit_history_tweet_ids": [id]})
}

fn missing(id: &str) -> Value {
    let kind = if id.ends_with('7') { "resource-not-found" } else { "not-authorized-for-resource" };
    json!({"resource_id": id, "value": id, "type": format!("https://api.twitter.com/2/problems/{kind}")})
}

/// A server: what was asked of it so far, and the address for `MTLCORE_X_API`.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    /// Answers the call of each number (from 0) for these ids.
    fn new(answer: impl Fn(usize, &[String]) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
        let calls = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &calls, &answer);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, calls: &Mutex<Vec<Vec<String>>>, answer: &impl Fn(usize, &[String]) -> Reply) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let headers: Vec<String> = lines.map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
    assert!(headers.iter().any(|header| header.eq_ignore_ascii_case(&format!("authorization: Bearer {TOKEN}"))));
    let ids = first.split("ids=").nth(1).unwrap().split('&').next().unwrap();
    let ids: Vec<String> = ids.replace("%2C", ",").split(',').map(str::to_owned).collect();
    assert!(first.starts_with("GET /2/tweets?") && ids.len() <= 100, "{first}");
    let call = {
        let mut calls = calls.lock().unwrap();
        calls.push(ids.clone());
        calls.len() - 1
    };
    let Reply { status, headers, body } = answer(call, &ids);
    let length = body.len();
    // Whoever was killed does not listen.
    let _ =
        write!(stream, "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
}

/// Ids of 2019 from 1 on, the odd ones with the label 1.
fn ids(number: u64) -> String {
    let row = |i: u64| format!("{}\t{}\n", 1_212_092_628_029_690_000 + i, i % 2);
    (1..=number).map(row).collect()
}

const WORDS: &str = "data hydrate ids.tsv --columns id,related --out flu.tsv";

fn command(place: &Place, server: &Server, more: &str) -> Command {
    let mut command = place.command(&format!("{WORDS} {more}"));
    command.env("MTLCORE_X_API", &server.address).env("X_BEARER_TOKEN", TOKEN);
    command
}

fn run(place: &Place, server: &Server, more: &str) -> Output {
    finished(command(place, server, more))
}

fn error(output: &Output) -> &str {
    assert_eq!(output.code, Some(1), "{output:?}");
    output.stderr.lines().last().unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn posts_come_with_their_labels_and_missing_ones_with_their_reason() {
    let place = Place::new(&[("ids.tsv", ids(101).as_bytes())]);
    let server = Server::new(|_, ids| Reply::posts(ids));
    let output = run(&place, &server, "");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(server.asked().iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    let written = fs::read_to_string(place.path("flu.tsv")).unwrap();
    let start = "id\ttext\trelated\n\
                 1212092628029690001\tflu & post 1212092628029690001\t1\n\
                 1212092628029690002\tflu & post 1212092628029690002\t0\n\
                 1212092628029690004\tflu & post 1212092628029690004\t0\n";
    assert!(written.starts_with(start), "{written}");
    let missing = fs::read_to_string(place.path("flu.tsv.missing.tsv")).unwrap();
    let start = "id\treason\trelated\n\
                 1212092628029690003\tnot-authorized-for-resource\t1\n\
                 1212092628029690007\tresource-not-found\t1\n";
    assert!(missing.starts_with(start), "{missing}");
    assert_eq!((written.lines().count(), missing.lines().count()), (1 + 81, 1 + 20));
    for words in [
        "81 of 101 (80 %) rows have their post.",
        "related: 1 31 of 51 (61 %), 0 50 of 50 (100 %)",
        ": the sample leans to 0",
        "Missing: not-authorized-for-resource 10, resource-not-found 10",
    ] {
        assert!(output.stdout.contains(words), "{words}\n{}", output.stdout);
    }
    // What is written is what our reader reads.
    let check = place.run("data check --task flu=flu.tsv:related");
    assert!(check.code == Some(0) && check.stdout.contains("81 of 101 (80 %) rows have their post."), "{check:?}");
    assert!(check.stdout.contains("Missing: not-authorized-for-resource 10, resource-not-found 10"), "{check:?}");
    // Nothing is left to ask, nor to pay.
    let again = run(&place, &server, "--format json");
    assert_eq!((again.code, server.asked().len()), (Some(0), 2));
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (&report["plan"]["answered"], &report["attrition"]["rows"]),
        (&json!(101), &json!({"kept": 81, "of": 101}))
    );
}

/// Of true posts half are gone, of false ones none.
#[test]
fn the_page_of_a_study_says_what_is_left() {
    let row = |i: usize, second: &str| format!("{i}\t{second}\t{}\n", i % 2);
    let word = |i: usize| ["ab", "cd", "ef", "gh"][i % 4].repeat(i / 4 + 1);
    let found: String = (0..40).filter(|i| i % 4 != 1).map(|i| row(i, &word(i))).collect();
    let missing: String = (0..40).filter(|i| i % 4 == 1).map(|i| row(i, "resource-not-found")).collect();
    let place = Place::new(&[
        ("flu.tsv", format!("id\ttext\trelated\n{found}").as_bytes()),
        ("flu.tsv.missing.tsv", format!("id\treason\trelated\n{missing}").as_bytes()),
    ]);
    let study = place.run(
        "study --task flu=flu.tsv:related --task same=flu.tsv:related --shared conv --folds 2 --seeds 1 --epochs 1 \
         --embedding-dim 4 --out study",
    );
    assert_eq!(study.code, Some(0), "{study:?}");
    let page = fs::read_to_string(place.path("study/report.html")).unwrap();
    for text in [page, place.run("report study --format checklist").stdout] {
        assert!(text.contains("30 of 40 (75 %) rows have their post."), "{text}");
        assert!(text.contains("related: 1 10 of 20 (50 %), 0 20 of 20 (100 %)"), "{text}");
        assert!(text.contains(": the sample leans to 0"), "{text}");
    }
}

/// Killed again and again while it waits, it asks no id twice and ends with the files of an undisturbed run.
#[test]
#[cfg(unix)]
fn killing_it_asks_nothing_twice() {
    let place = Place::new(&[("ids.tsv", ids(250).as_bytes())]);
    let files = |place: &Place| ["flu.tsv", "flu.tsv.missing.tsv"].map(|name| fs::read(place.path(name)).unwrap());
    let undisturbed = Place::new(&[("ids.tsv", ids(250).as_bytes())]);
    assert_eq!(run(&undisturbed, &Server::new(|_, ids| Reply::posts(ids)), "").code, Some(0));

    // Each call but one in four is refused for its rate; an answer says that its rate is used up. Both make it wait.
    let answered: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = answered.clone();
    let later = format!("x-rate-limit-remaining: 0\r\nx-rate-limit-reset: {}\r\n", now() + 600);
    let server = Server::new(move |call, ids| {
        if call % 4 < 3 {
            return Reply::new(429, &later, json!({"title": "Too Many Requests"}));
        }
        seen.lock().unwrap().extend_from_slice(ids);
        Reply { headers: later.clone(), ..Reply::posts(ids) }
    });
    let mut kills = 0;
    while answered.lock().unwrap().len() < 250 && kills < 20 {
        let mut child = command(&place, &server, "").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let waits = lines.map_while(Result::ok).any(|line| line.contains("waiting"));
        if waits {
            kills += 1;
            child.kill().unwrap();
        }
        child.wait().unwrap();
    }
    assert!(kills >= 10, "{kills}");
    assert_eq!(run(&place, &server, "").code, Some(0));
    let mut times: HashMap<String, usize> = HashMap::new();
    answered.lock().unwrap().iter().for_each(|id| *times.entry(id.clone()).or_default() += 1);
    assert!(times.len() == 250 && times.values().all(|&times| times == 1));
    assert!(files(&place) == files(&undisturbed));
}

#[test]
fn rates_and_server_errors_are_waited_out() {
    let place = Place::new(&[("ids.tsv", ids(3).as_bytes())]);
    let past = format!("x-rate-limit-reset: {}\r\n", now() - 5);
    let server = Server::new(move |call, ids| match call {
        0 => Reply::new(429, &past, "{}"),
        1 => Reply::new(503, "", "<html>sorry</html>"),
        _ => Reply::posts(ids),
    });
    let begun = Instant::now();
    let output = run(&place, &server, "");
    assert_eq!((output.code, server.asked().len()), (Some(0), 3), "{output:?}");
    assert!(begun.elapsed() >= Duration::from_secs(1 + 4), "the second failure in a row waits for four seconds");
    assert!(output.stderr.contains("the API wants no more calls now (429); waiting 1 s"), "{}", output.stderr);
}

/// A server that says the token wherever it can: it is in no byte of what we write.
#[test]
fn the_token_is_written_nowhere() {
    fn assert_absent(place: &Place, output: &Output) {
        assert!(!output.stdout.contains(TOKEN) && !output.stderr.contains(TOKEN), "{output:?}");
        let mut folders = vec![place.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    let found = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
                    assert!(!found, "{}", path.display());
                }
            }
        }
    }
    for status in [200, 302, 400, 401, 402, 403, 404, 429] {
        let place = Place::new(&[("ids.tsv", ids(2).as_bytes())]);
        let server = Server::new(move |_, ids| {
            let kind =
                format!("https://api.twitter.com/2/problems/{}", if status == 429 { "usage-capped" } else { TOKEN });
            let mut body = json!({"title": TOKEN, "detail": format!("no {TOKEN}"), "type": kind, TOKEN: [TOKEN]});
            body["data"] = json!([{"id": ids[0], "text": format!("x {TOKEN} y"), "note_tweet": {"text": TOKEN}}]);
            body["errors"] = json!([{"resource_id": ids[1], "type": TOKEN, "title": TOKEN}]);
            Reply::new(status, &format!("location: http://127.0.0.1:1/{TOKEN}\r\n"), body)
        });
        let output = run(&place, &server, "--verbose");
        assert_eq!(output.code, Some(i32::from(status != 200)), "{output:?}");
        assert_absent(&place, &output);
        if status == 200 {
            assert!(fs::read_to_string(place.path("flu.tsv")).unwrap().contains("\t***\t"));
        }
    }
}

#[test]
fn what_a_server_can_get_wrong_is_an_error_and_nothing_is_lost() {
    for (reply, message) in [
        (
            Reply::new(200, "", "{\"data\": ["),
            "the answer is not one of this API: EOF while parsing a list at line 1 column 10",
        ),
        (Reply::new(200, "", "{}"), "the answer is not one of this API: it has neither posts nor errors"),
        (
            Reply::new(200, "", json!({"data": [post("99")]})),
            "the answer is not one of this API: it has the post 99, which was not asked for",
        ),
        (
            Reply::new(301, "location: http://127.0.0.1:1/\r\n", ""),
            "it answered with a redirect (301), which is not followed: it would get the token",
        ),
        (
            Reply::new(401, "", json!({"title": "Unauthorized", "type": "about:blank"})),
            "it refuses the token (401: Unauthorized); is it the app's bearer token, whole?",
        ),
        (
            Reply::new(
                429,
                "",
                json!({"title": "UsageCapExceeded", "type": "https://api.twitter.com/2/problems/usage-capped"}),
            ),
            "no more posts may be fetched (429: usage-capped, UsageCapExceeded): credits or a cap are used up; what was \
             answered is kept, and the same command goes on later",
        ),
    ] {
        let place = Place::new(&[("ids.tsv", ids(150).as_bytes())]);
        let bad = Mutex::new(Some(reply));
        let server = Server::new(move |call, ids| match call {
            1 => bad.lock().unwrap().take().unwrap(),
            _ => Reply::posts(ids),
        });
        let output = run(&place, &server, "");
        assert!(error(&output).ends_with(message), "{message}\n{output:?}");
        assert!(!place.path("flu.tsv").exists(), "nothing is half-written");
        assert_eq!(run(&place, &server, "").code, Some(0));
        assert_eq!(server.asked().iter().map(Vec::len).collect::<Vec<_>>(), [100, 50, 50], "the first page was kept");
    }
}

#[test]
fn tokens_come_from_the_environment_or_a_file_of_ones_own() {
    let place = Place::new(&[("ids.tsv", ids(1).as_bytes()), ("token", format!("{TOKEN}\n").as_bytes())]);
    let server = Server::new(|_, ids| Reply::posts(ids));
    let without = |more: &str| {
        let mut command = command(&place, &server, more);
        command.env_remove("X_BEARER_TOKEN");
        finished(command)
    };
    assert!(error(&without("")).starts_with("error: `X_BEARER_TOKEN`: no token: set this environment variable"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| fs::set_permissions(place.path("token"), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        let refused = without("--token-file token");
        assert_eq!(
            error(&refused),
            "error: token: others may read it (mode 640); `chmod 600` keeps a token to yourself"
        );
        assert_eq!(server.asked().len(), 0);
        mode(0o600);
    }
    assert_eq!(without("--token-file token").code, Some(0));
    let mut elsewhere = command(&place, &server, "--refresh");
    let output = finished({
        elsewhere.env("MTLCORE_X_API", "http://example.org:80");
        elsewhere
    });
    assert!(error(&output).ends_with("expected http://127.0.0.1:PORT, for tests on this machine"));
}

#[test]
fn costs_are_said_before_and_never_passed() {
    let place = Place::new(&[("ids.tsv", ids(250).as_bytes())]);
    let server =
        Server::new(|_, ids| Reply::new(200, "", json!({"data": ids.iter().map(|id| post(id)).collect::<Vec<_>>()})));
    let planned = run(&place, &server, "--dry-run");
    assert_eq!(planned.code, Some(0));
    assert!(planned.stdout.contains("3 calls and $1.25 if none is gone,\nand at most $3.75"), "{}", planned.stdout);
    assert!(!place.path("flu.tsv.hydrate").exists() && server.asked().is_empty());
    let output = run(&place, &server, "--retweets as-is --max-cost 0.6");
    let message = "error: `max-cost`: 120 of 250 ids have an answer, which took $0.600, and the next may take more than this \
                   allows; the same command with a higher one goes on";
    assert_eq!(error(&output), message);
    assert_eq!(server.asked().concat().len(), 120);
    assert_eq!(run(&place, &server, "--retweets as-is --max-cost 1.25").code, Some(0));
    assert_eq!(server.asked().concat().len(), 250);
}

#[test]
fn refreshing_drops_what_is_gone_since() {
    let place = Place::new(&[("ids.tsv", ids(2).as_bytes())]);
    let server = Server::new(|call, ids| match call {
        0 => Reply::new(200, "", json!({"data": [post(&ids[0]), post(&ids[1])]})),
        _ => Reply::new(200, "", json!({"data": [post(&ids[0])], "errors": [missing(&ids[1])]})),
    });
    assert_eq!(run(&place, &server, "").code, Some(0));
    assert_eq!(fs::read_to_string(place.path("flu.tsv")).unwrap().lines().count(), 3);
    assert_eq!(run(&place, &server, "--refresh").code, Some(0));
    assert_eq!(fs::read_to_string(place.path("flu.tsv")).unwrap().lines().count(), 2);
    let journal = fs::read_to_string(place.path("flu.tsv.hydrate/pages.jsonl")).unwrap();
    assert!(!journal.contains("post\\n1212092628029690002"), "its text is gone from the disk: {journal}");
}

#[test]
fn posts_that_people_hold_need_no_token() {
    let pages = json!({"data": [{"id": "1", "text": "a &lt;3"}], "errors": [missing("2")]});
    let place = Place::new(&[
        ("ids.tsv", b"id\trelated\n1\t1\n2\t0\n3\t\n1\t0\n"),
        ("pages.jsonl", format!("{pages}\n").as_bytes()),
        ("set.json", b"{\"id\":5,\"tweet\":{\"text\":\"x\"},\"label\":{\"relevant\":1}}\n{\"id\":6,\"tweet\":{\"text\":\"y\"},\"label\":{}}\n"),
    ]);
    let output = place.run("data hydrate ids.tsv --out flu.tsv --from pages.jsonl");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("4 rows of 3 ids; 1 rows repeat an id, 1 ids have rows of different labels.\n"));
    assert_eq!(fs::read_to_string(place.path("flu.tsv")).unwrap(), "id\ttext\trelated\n1\ta <3\t1\n1\ta <3\t0\n");
    let missing = "id\treason\trelated\n2\tnot-authorized-for-resource\t0\n3\tnot-in-the-files\t\n";
    assert_eq!(fs::read_to_string(place.path("flu.tsv.missing.tsv")).unwrap(), missing);
    assert_eq!(place.run("data hydrate set.json --out set.tsv --from set.json").code, Some(0));
    assert_eq!(fs::read_to_string(place.path("set.tsv")).unwrap(), "id\ttext\trelevant\n5\tx\t1\n6\ty\t\n");
}

#[test]
fn bad_files_are_named() {
    let place = Place::new(&[("ids.tsv", b"id\tl\n1.39e18\t1\n"), ("good.tsv", b"1\n"), ("x.json", b"{}")]);
    for (words, message) in [
        ("ids.tsv --out flu.tsv", "error: ids.tsv:2: the id \"1.39e18\" was saved as a float and has lost digits"),
        ("none.tsv --out flu.tsv", "error: none.tsv: No such file"),
        ("good.tsv --out flu.csv", "error: flu.csv: expected a name that ends in .tsv"),
        ("good.tsv --out flu.tsv --from x.json", "error: x.json: there is no post in it"),
        ("good.tsv --out no/flu.tsv --from good.json", "error: good.json: No such file"),
    ] {
        let output = place.run(&format!("data hydrate {words}"));
        assert!(error(&output).starts_with(message), "{output:?}");
    }
    for words in ["good.tsv --out flu.tsv --max-cost -1", "good.tsv --out flu.tsv --retweets some", "good.tsv"] {
        assert_eq!(place.run(&format!("data hydrate {words}")).code, Some(2), "{words}");
    }
}

/// A disk without room: an error that names the journal; what was answered before is kept.
#[test]
#[cfg(unix)]
fn a_full_disk_is_named_and_costs_one_page_at_most() {
    let place = Place::new(&[("ids.tsv", ids(250).as_bytes())]);
    let server = Server::new(|_, ids| Reply::posts(ids));
    let mut limited = Command::new("sh");
    // A file may have 40 blocks of 512 bytes: the journal has room for one page. Ignored, the signal becomes an error.
    let words = format!("trap '' XFSZ; ulimit -f 40; exec \"$0\" {WORDS}");
    limited.arg("-c").arg(words).arg(assert_cmd::cargo::cargo_bin("mtlcore")).current_dir(place.path(""));
    let output = finished({
        limited.env("MTLCORE_X_API", &server.address).env("X_BEARER_TOKEN", TOKEN);
        limited
    });
    assert!(error(&output).starts_with("error: flu.tsv.hydrate/pages.jsonl: File too large"), "{output:?}");
    assert!(!place.path("flu.tsv").exists() && server.asked().len() == 2, "{:?}", server.asked().len());
    assert_eq!(run(&place, &server, "").code, Some(0));
    assert_eq!(server.asked().iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 100, 50], "the second page again");
}
