//! T58: a move of the operator's takes a factor nowhere but to its own user, and an erased user leaves nothing that counts.

use countersign::effect::Effect;
use countersign::engine::operator::MoveStep;
use countersign::engine::{Pending, Reply, operator};
use countersign::entropy::Entropy;
use countersign::error::{Error, ErrorCode};
use countersign::ids::OperatorId;
use countersign::keys::KeyRing;
use countersign::policy::Roles;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::recovery::by_operator;
use crate::support::{Person, ann, by_owner, check, issue, policy};

fn record(person: &Person) -> Record {
    person.record.as_ref().map_or_else(|| Record::new(person.id()), |text| Record::parse(&person.id(), text).unwrap())
}

fn name() -> OperatorId {
    OperatorId::new("night shift").unwrap()
}

fn store(person: &mut Person, pending: Pending) -> Reply {
    if let Some(record) = pending.to_store() {
        person.record = Some(record.to_text());
    }
    let (reply, effects) = pending.stored();
    person.effects = effects;
    reply
}

fn now(person: &Person) -> UnixSeconds {
    UnixSeconds::new(person.now).unwrap()
}

fn entropy(person: &Person) -> Entropy {
    person.draws.set(person.draws.get() + 1);
    Entropy::new([u8::try_from(person.draws.get() % 251).unwrap(); 32])
}

fn depart(from: &Person, to: &Person) -> Result<Pending, Error> {
    operator::move_step(&from.policy, &from.keys, record(from), MoveStep::Depart, &record(to), &name(), now(from), entropy(from))
}

fn arrive(from: &Person, to: &Person) -> Result<Pending, Error> {
    operator::move_step(&to.policy, &to.keys, record(to), MoveStep::Arrive, &record(from), &name(), now(to), entropy(to))
}

/// The first two steps of a move; the number of apps and phones that came along, and whether there was anything to move.
fn cut_off(from: &mut Person, to: &mut Person) -> (usize, bool) {
    to.now = to.now.max(from.now);
    let pending = depart(from, to).unwrap();
    let departed = store(from, pending);
    if let Reply::Moved { factors } = departed {
        return (factors.len(), false);
    }
    assert_eq!(departed, Reply::Ended {});
    if to.record.is_none() {
        // The first run makes the record.
        let pending = arrive(from, to).unwrap();
        assert_eq!(store(to, pending), Reply::MoveChanged {});
    }
    let pending = arrive(from, to).unwrap();
    let Reply::Moved { factors } = store(to, pending) else { panic!("no move") };
    if to.secret.is_empty() {
        to.secret.clone_from(&from.secret);
    }
    (factors.len(), true)
}

fn settle(from: &Person, to: &mut Person) {
    let pending =
        operator::move_step(&to.policy, &to.keys, record(to), MoveStep::Settle, &record(from), &name(), now(to), entropy(to)).unwrap();
    assert_eq!(store(to, pending), Reply::Ended {});
}

fn leave(from: &mut Person, to: &Person) -> Reply {
    let pending =
        operator::move_step(&from.policy, &from.keys, record(from), MoveStep::Leave, &record(to), &name(), now(from), entropy(from))
            .unwrap();
    store(from, pending)
}

/// A whole move; the number of apps and phones that came along.
fn moved(from: &mut Person, to: &mut Person) -> usize {
    let (number, is_under_way) = cut_off(from, to);
    let told = (core::mem::take(&mut from.effects), core::mem::take(&mut to.effects));
    if is_under_way {
        assert_eq!(leave(from, to), Reply::Ended {});
    }
    settle(from, to);
    if is_under_way {
        assert!(from.effects.is_empty() && to.effects.is_empty(), "the last steps tell nothing");
    }
    (from.effects, to.effects) = told;
    number
}

/// The same user in an account, without a record.
fn in_account(account: &str) -> Person {
    let mut person = Person::new("ann", policy(json!({})));
    person.account = Some(account.to_owned());
    person
}

fn erased(person: &Person) -> Result<Pending, Error> {
    erased_on_the_way(person, None)
}

/// An erasure by someone who has read the record of the place that the user is on the way to.
fn erased_on_the_way(person: &Person, to: Option<&Person>) -> Result<Pending, Error> {
    let new_place = to.map(record);
    operator::erase(&person.policy, &person.keys, record(person), new_place.as_ref(), &name(), now(person), entropy(person))
}

/// The step on the new place, after the old one was erased.
fn withdraw(from: &Person, to: &mut Person) -> Reply {
    let pending =
        operator::move_step(&to.policy, &to.keys, record(to), MoveStep::Withdraw, &record(from), &name(), now(to), entropy(to)).unwrap();
    store(to, pending)
}

/// The reply to an owner who would reset this person, or issue a code.
fn owner_acts(person: &mut Person, act: &str) -> Value {
    let mut owner = Person::enrolled("olga", policy(json!({})));
    owner.now = person.now;
    let pass = owner.log_in("owner");
    person.issuer.clone_from(&owner.record);
    person.reply(json!({act: {"by": {"user": "olga", "session": "owner", "pass": pass, "role": "owner"}}}))
}

fn enrolled_in(account: &str) -> Person {
    Person::enrolled_in(Some(account.to_owned()), "ann", policy(json!({})))
}

/// Lets the user in by a recovery code of the operator's; the pass.
fn rescue(person: &mut Person) -> Value {
    let code = by_operator(person)["code"].as_str().unwrap().to_owned();
    let ticket = person.ticket();
    let rescue = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "recovery_code", "code": code}});
    person.reply(rescue)["pass"].clone()
}

/// The events and notices of the last step.
fn told(person: &Person) -> Vec<String> {
    let tell = |effect: &Effect| match effect {
        Effect::Log(event) => serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned(),
        Effect::Notify(notice) => format!("{:?} to {:?}", notice.kind, notice.to),
        Effect::EndPasses(_) => "end passes".to_owned(),
        Effect::Sms(_) => "sms".to_owned(),
    };
    person.effects.iter().map(tell).collect()
}

#[test]
fn t58_apps_and_phones_come_along_with_what_was_used_of_them() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    let pass = from.log_in("in");
    let used = from.code();
    let before = from.factors();
    assert_eq!(moved(&mut from, &mut to), 2);
    assert_eq!(told(&to), ["end passes", "moved_here", "Moved to User", "Moved to Owners"]);
    assert_eq!(told(&from), ["end passes", "moved_away"]);
    assert_eq!(to.factors(), before, "with ids, names and times");

    to.secret.clone_from(&from.secret);
    assert_eq!(to.verify("totp", &used)["result"], "already_used");
    to.now += 30;
    let code = to.code();
    assert_eq!(to.verify("totp", &code)["result"], "verified");
    let ticket = to.ticket();
    assert_eq!(to.reply(json!({"send_sms": {"session": "s", "ticket": ticket}}))["result"], "sms_sent");

    // Nothing of the old place counts, in neither place.
    assert!(from.factors().is_empty());
    let enroll = json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}});
    assert_eq!(to.reply(enroll)["reason"], "fresh_factor_required");
    let backup = from.backup[0].clone();
    assert_eq!(to.verify("backup_code", &backup)["reason"], "not_enrolled", "hashes are bound to the old place");
}

#[test]
fn t58_tickets_set_ups_and_codes_of_the_old_place_end() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    let pass = from.log_in("in");
    let setup = from.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}))["setup"].clone();
    let recovery = issue(&mut from);
    let ticket = from.ticket();
    moved(&mut from, &mut to);
    from.now += 30;
    to.now += 30;
    for person in [&mut from, &mut to] {
        let verify = |method: &str, code: &str| json!({"verify": {"session": "s", "ticket": ticket, "method": method, "code": code}});
        let code = ann().code();
        assert_eq!(person.reply(verify("totp", &code))["result"], "denied");
        assert_eq!(person.reply(verify("recovery_code", &recovery))["result"], "denied");
        let confirm = json!({"confirm_totp": {"session": "in", "setup": setup, "code": "000000"}});
        assert_eq!(person.reply(confirm)["result"], "expired");
    }
}

#[test]
fn t58_nothing_comes_beside_a_second_factor_or_a_recovery_code_of_the_new_place() {
    // Somebody else's account, or one that knows the user by other factors.
    let mut thief = ann();
    let mut to = Person::enrolled("bob", policy(json!({})));
    let before = to.factors();
    assert_eq!(moved(&mut thief, &mut to), 0);
    assert_eq!((to.factors(), thief.factors().len()), (before, 0));
    assert_eq!(told(&to), ["moved_here", "MovedWithoutFactors to User", "MovedWithoutFactors to Owners"]);
    let Effect::Log(event) = &to.effects[0] else { panic!("no event") };
    assert_eq!(serde_json::to_value(event).unwrap()["factors"], json!([]), "those of the new place did not come");
    to.now += 30;
    let code = to.code();
    assert_eq!(to.verify("totp", &code)["result"], "verified");

    // A recovery code waits for the user: nobody else's app comes in between.
    let (mut from, mut to) = (ann(), Person::new("bob", policy(json!({"require": "everyone"}))));
    to.now = from.now;
    let recovery = issue(&mut to);
    assert_eq!(moved(&mut from, &mut to), 0);
    assert_eq!(to.verify("recovery_code", &recovery)["result"], "verified");
}

#[test]
fn t58_a_move_lifts_no_lock() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    for _ in 0..5 {
        from.verify("backup_code", "0000-0000-0000-0000");
    }
    assert_eq!(from.failures(), 5);
    moved(&mut from, &mut to);
    assert_eq!(to.verify("backup_code", "0000-0000-0000-0000")["result"], "denied", "there are none");
    to.secret.clone_from(&from.secret);
    let code = to.code();
    assert_eq!(to.verify("totp", &code)["result"], "locked");
}

#[test]
fn t58_a_factor_counts_at_one_place_at_most_wherever_a_move_is_cut_off() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    to.secret.clone_from(&from.secret);
    let opens = |person: &mut Person| {
        person.now += 30;
        let begun = person.reply(json!({"begin": {"session": "s"}}));
        let Some(ticket) = begun["ticket"].as_str() else { return false };
        let code = person.code();
        let verify = json!({"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": code});
        person.reply(json!({"verify": verify}))["result"] == "verified"
    };
    assert!(opens(&mut from) && !opens(&mut to), "before the move");
    let pending = depart(&from, &to).unwrap();
    store(&mut from, pending);
    assert!(!opens(&mut from) && !opens(&mut to), "on the way");
    assert_eq!(from.factors().len(), 0);
    cut_off(&mut from, &mut to);
    assert!(!opens(&mut from) && opens(&mut to), "after the arrival");
    assert_eq!(moved(&mut from, &mut to), 2);
    assert!(!opens(&mut from) && opens(&mut to), "after the move");
}

#[test]
fn t58_until_a_move_is_complete_neither_place_leads_anywhere_else() {
    let refused = |outcome: Result<Pending, Error>| {
        let error = outcome.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidInput);
        error.path
    };
    let by_the_operator = |person: &Person| {
        let issue = operator::issue_recovery_code(&person.policy, &person.keys, record(person), &name(), now(person), entropy(person));
        let reset = operator::reset(&person.policy, &person.keys, record(person), &name(), now(person), entropy(person));
        [refused(issue), refused(reset)]
    };
    let (mut from, mut to, other) = (ann(), in_account("acme"), enrolled_in("other"));
    let begun = depart(&from, &to).unwrap();
    store(&mut from, begun);
    assert_eq!(by_the_operator(&from), ["user", "user"]);
    let before = from.record.clone();
    assert_eq!(owner_acts(&mut from, "issue_recovery_code"), json!({"result": "denied", "reason": "move_under_way"}));
    assert_eq!(owner_acts(&mut from, "reset"), json!({"result": "denied", "reason": "move_under_way"}));
    assert_eq!(from.record, before);

    cut_off(&mut from, &mut to);
    assert_eq!(refused(depart(&to, &other)), "from");
    assert_eq!(refused(depart(&other, &to)), "to");
    assert_eq!(refused(erased(&to)), "user");
    assert_eq!(leave(&mut from, &to), Reply::Ended {});
    assert_eq!(refused(erased(&to)), "user", "before the last step");
    settle(&from, &mut to);
    assert!(depart(&to, &other).is_ok() && depart(&other, &to).is_ok() && erased(&to).is_ok());
}

#[test]
fn t58_the_way_home_is_open_where_only_the_last_step_is_missing() {
    let (mut home, mut away) = (ann(), in_account("acme"));
    cut_off(&mut home, &mut away);
    assert_eq!(leave(&mut home, &away), Reply::Ended {});
    assert_eq!(moved(&mut away, &mut home), 2);
    assert!(erased(&away).is_ok(), "the first move is over");

    // Nor does it lead past another move that is not complete.
    assert_eq!(moved(&mut home, &mut away), 2);
    let mut other = in_account("other");
    other.reply(json!({"password_changed": {}}));
    cut_off(&mut other, &mut away);
    assert_eq!(depart(&away, &home).unwrap_err().path, "from");
}

#[test]
fn t58_a_user_who_was_erased_on_the_way_does_not_hold_up_the_new_place() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    from.record = None;
    assert_eq!(moved(&mut from, &mut to), 0);
    assert!(erased(&to).is_ok() && to.factors().len() == 2);
}

#[test]
fn t57_t58_there_and_back_undoes_no_reset_lifts_no_stop_and_brings_nobody_elses_app() {
    // Someone who knows the password has set up an app at a lenient place.
    let places = || {
        let mut thief = enrolled_in("acme");
        thief.now = ann().now;
        (ann(), thief)
    };
    let (mut from, mut to) = places();
    by_owner(&mut from, "reset");
    assert_eq!((moved(&mut from, &mut to), moved(&mut to, &mut from)), (0, 0));
    assert_eq!(from.reply(json!({"begin": {"session": "s"}}))["reason"], "recovery_code_required");

    let (mut from, mut to) = places();
    assert_eq!((moved(&mut from, &mut to), moved(&mut to, &mut from)), (0, 0), "her app was lost on the way out");
    assert_eq!(from.reply(json!({"begin": {"session": "s"}}))["reason"], "recovery_code_required");

    let (mut from, mut to) = (ann(), in_account("acme"));
    assert_eq!(moved(&mut from, &mut to), 2);
    to.record = None;
    to.reply(json!({"password_changed": {}}));
    assert_eq!(moved(&mut to, &mut from), 0);
    assert_eq!(from.reply(json!({"begin": {"session": "s"}}))["reason"], "recovery_code_required", "nothing came home");
}

#[test]
fn t58_the_attempt_budget_comes_along_and_home_again() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    to.reply(json!({"password_changed": {}}));
    for _ in 0..30 {
        from.verify("totp", "000000");
        from.now += 7_200;
    }
    let code = from.code();
    assert_eq!(from.verify("totp", &code)["result"], "verified", "no failure in a row is left, and the budget is not full");
    from.now += 30;
    let budget = |person: &Person| {
        let record: Value = serde_json::from_str(person.record.as_deref().unwrap()).unwrap();
        record["attempts"].clone()
    };
    let before = budget(&from);
    assert!(before["level"].as_u64() > Some(5), "{before}");
    moved(&mut from, &mut to);
    let leaked = |budget: &Value| budget["levelAt"].as_u64().unwrap() + 3 * 3_600 * budget["level"].as_u64().unwrap();
    assert_eq!(leaked(&budget(&to)), leaked(&before), "it is empty at the same time");
    to.secret.clone_from(&from.secret);
    for _ in 0..3 {
        to.verify("totp", "000000");
        to.now += 3_600;
    }
    from.now = to.now;
    let (away, out) = (budget(&to), budget(&from));
    moved(&mut to, &mut from);
    assert_eq!(leaked(&budget(&from)), leaked(&away));
    assert_ne!(away, out);

    // A login there has settled the failures from before: they do not count again at home.
    assert_eq!(from.failures(), 3);
    moved(&mut from, &mut to);
    to.now += 86_400;
    from.now = to.now;
    let code = to.code();
    assert_eq!((to.verify("totp", &code)["result"].as_str(), to.failures()), (Some("verified"), 0));
    moved(&mut to, &mut from);
    assert_eq!(from.failures(), 0);
}

#[test]
fn t58_a_move_empties_no_budget_of_the_new_place() {
    let (mut from, mut to) = (ann(), enrolled_in("acme"));
    to.now = from.now;
    for _ in 0..4 {
        to.verify("totp", "000000");
    }
    let mut pass = to.log_in("in");
    while let Some(factor) = to.factors().last() {
        let id: String = factor.named.id.clone().into();
        let removed = to.reply(json!({"remove": {"session": "in", "pass": pass, "factor": id}}));
        pass = removed["pass"].as_str().unwrap_or_else(|| panic!("{removed}")).to_owned();
    }
    let budget = |person: &Person| serde_json::from_str::<Value>(person.record.as_deref().unwrap()).unwrap()["attempts"].clone();
    let before = budget(&to);
    assert!(before["level"].as_u64() > Some(2), "{before}");
    assert_eq!(moved(&mut from, &mut to), 2);
    assert_eq!(budget(&to), before);
}

#[test]
fn t58_a_step_that_was_slow_makes_nothing_of_a_place_that_was_erased_since() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    let begun = depart(&from, &to).unwrap();
    store(&mut from, begun);
    let slow = arrive(&from, &to).unwrap();
    assert_eq!(moved(&mut from, &mut to), 2);
    to.record = None;
    assert_eq!(store(&mut to, slow), Reply::MoveChanged {});
    assert!(to.factors().is_empty());
}

#[test]
fn t58_a_move_ends_by_the_record_of_its_own_old_place() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    let mut other = enrolled_in("other");
    cut_off(&mut from, &mut to);
    for place in [&from, &other] {
        settle(place, &mut to);
        assert!(erased(&to).is_err(), "the user is on the way still");
    }
    assert_eq!(leave(&mut from, &to), Reply::Ended {});

    // The user has begun anew at the old place, and is on the way again: to the same place, and to another.
    rescue(&mut from);
    let again = depart(&from, &to).unwrap();
    let mut elsewhere = from.clone();
    store(&mut from, again);
    assert_eq!(leave(&mut from, &to), Reply::MoveChanged {}, "by an earlier move the user has not arrived");
    other.record = None;
    let begun = depart(&elsewhere, &other).unwrap();
    store(&mut elsewhere, begun);
    settle(&elsewhere, &mut to);
    assert!(erased(&to).is_ok());
}

#[test]
fn t58_who_had_no_factor_is_told_of_none() {
    let (mut from, mut to) = (Person::new("ann", policy(json!({}))), in_account("acme"));
    from.reply(json!({"password_changed": {}}));
    moved(&mut from, &mut to);
    assert_eq!(told(&to), ["moved_here"]);
    moved(&mut from, &mut to);
    assert!(told(&from).is_empty() && told(&to).is_empty(), "there were no passes to end");
}

#[test]
fn t58_what_is_told_again_names_what_came_and_not_what_was_added_since() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let pass = to.log_in("in");
    assert_eq!(to.reply(json!({"remove": {"session": "in", "pass": pass, "method": "sms"}}))["result"], "removed");
    let (number, _) = cut_off(&mut from, &mut to);
    let Effect::Log(event) = &to.effects[1] else { panic!("no event") };
    let came = serde_json::to_value(event).unwrap()["factors"].as_array().unwrap().len();
    assert_eq!((number, came), (1, 2), "the reply names what is there");
}

#[test]
fn t58_what_is_told_of_a_move_is_told_again_until_it_is_complete() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    for _ in 0..2 {
        cut_off(&mut from, &mut to);
        assert_eq!(told(&from), ["end passes", "moved_away"]);
        assert_eq!(told(&to), ["end passes", "moved_here", "Moved to User", "Moved to Owners"]);
    }
    moved(&mut from, &mut to);
    moved(&mut from, &mut to);
    assert_eq!((told(&from), told(&to)), (vec!["end passes".to_owned()], vec!["end passes".to_owned()]));
}

#[test]
fn t58_a_user_on_the_way_goes_nowhere_else() {
    let (mut from, mut to, other) = (ann(), in_account("acme"), in_account("other"));
    let refused = |from: &Person, to: &Person| {
        let error = depart(from, to).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidInput);
        error.path
    };
    let pending = depart(&from, &to).unwrap();
    store(&mut from, pending);
    assert_eq!(refused(&from, &other), "from");
    assert_eq!(refused(&enrolled_in("other"), &from), "to");
    moved(&mut from, &mut to);
    assert_eq!(refused(&from, &other), "from", "the user is elsewhere now");
}

/// A user on the way, whose new place has a record; the arrival that a slow process has computed.
fn on_the_way() -> (Person, Person, Pending) {
    let (mut from, mut to) = (ann(), in_account("acme"));
    to.now = to.now.max(from.now);
    let pending = depart(&from, &to).unwrap();
    store(&mut from, pending);
    let pending = arrive(&from, &to).unwrap();
    assert_eq!(store(&mut to, pending), Reply::MoveChanged {});
    let slow = arrive(&from, &to).unwrap();
    (from, to, slow)
}

fn erase_on_the_way(from: &mut Person, to: &Person) {
    let refused = erased(from).unwrap();
    assert_eq!(store(from, refused), Reply::MoveChanged {}, "the new place was not read");
    let pending = erased_on_the_way(from, Some(to)).unwrap();
    assert_eq!(store(from, pending), Reply::Ended {});
}

fn needs_a_recovery_code(person: &mut Person) {
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(begun["reason"], "recovery_code_required", "the password alone lets in nobody who had a second factor: {begun}");
}

#[test]
fn t58_a_slow_arrival_loses_its_race_to_the_erasure_of_the_old_place() {
    let (mut from, mut to, slow) = on_the_way();
    let seen = to.record.clone();
    erase_on_the_way(&mut from, &to);
    settle(&from, &mut to);
    assert_eq!(withdraw(&from, &mut to), Reply::Ended {});
    assert_ne!(to.record, seen, "the slow one names the record that it has read");
    drop(slow);
    assert_eq!(told(&to), ["end passes", "MovedWithoutFactors to User", "MovedWithoutFactors to Owners"]);
    let pending = arrive(&from, &to).unwrap();
    assert_eq!(store(&mut to, pending), Reply::MoveChanged {}, "a later one brings nothing");
    assert!(depart(&from, &to).is_err(), "nor is the move done again");
    needs_a_recovery_code(&mut to);
    let seen = to.record.clone();
    withdraw(&from, &mut to);
    assert_ne!(to.record, seen, "each time");
    assert_eq!(told(&to), ["end passes", "MovedWithoutFactors to User", "MovedWithoutFactors to Owners"], "and is told again");
}

#[test]
fn t58_an_arrival_that_was_faster_than_the_erasure_is_taken_back() {
    let (mut from, mut to, slow) = on_the_way();
    erase_on_the_way(&mut from, &to);
    let Reply::Moved { factors } = store(&mut to, slow) else { panic!("no arrival") };
    assert_eq!(factors.len(), 2);
    assert_eq!(leave(&mut from, &to), Reply::MoveChanged {}, "the move hears of it");
    settle(&from, &mut to);
    assert_eq!(to.factors().len(), 2, "the last step waits");
    withdraw(&from, &mut to);
    assert!(to.factors().is_empty());
    needs_a_recovery_code(&mut to);
    settle(&from, &mut to);
    assert!(erased(&to).is_ok(), "no move is left open");
}

#[test]
fn t58_somebody_with_a_factor_of_their_own_keeps_it_where_an_arrival_is_taken_back() {
    let (mut from, mut to) = (ann(), enrolled_in("acme"));
    let own = to.factors().len();
    to.now = to.now.max(from.now);
    let pending = depart(&from, &to).unwrap();
    store(&mut from, pending);
    erase_on_the_way(&mut from, &to);
    withdraw(&from, &mut to);
    assert_eq!(to.factors().len(), own);
    assert_eq!(told(&to), ["end passes"], "those of the epoch that it has");
}

#[test]
fn t58_an_erasure_on_the_way_shuts_a_new_place_without_a_record_and_after_a_reset() {
    for was_reset in [false, true] {
        let (mut from, mut to) = (ann(), in_account("acme"));
        to.now = to.now.max(from.now);
        if was_reset {
            let pending = operator::reset(&from.policy, &from.keys, record(&from), &name(), now(&from), entropy(&from)).unwrap();
            store(&mut from, pending);
        }
        let pending = depart(&from, &to).unwrap();
        store(&mut from, pending);
        erase_on_the_way(&mut from, &to);
        withdraw(&from, &mut to);
        needs_a_recovery_code(&mut to);
    }
}

#[test]
fn t58_a_record_that_must_take_something_back_elsewhere_is_deleted_by_who_did_so() {
    let (mut from, mut to, _) = on_the_way();
    erase_on_the_way(&mut from, &to);
    let seen = record(&from);
    assert!(!operator::may_delete(&seen, None), "another erasure is not done yet");
    withdraw(&from, &mut to);
    assert!(operator::may_delete(&seen, Some(&seen)));
    let (mut later, mut there) = (ann(), in_account("acme"));
    later.draws.set(100);
    there.now = later.now;
    let pending = depart(&later, &there).unwrap();
    store(&mut later, pending);
    erase_on_the_way(&mut later, &there);
    assert!(!operator::may_delete(&record(&later), Some(&seen)), "that is another move");
    assert_eq!(withdraw(&later, &mut in_account("other")), Reply::MoveChanged {}, "and to another place");
    let pending = erased(&from).unwrap();
    assert_eq!(store(&mut from, pending), Reply::MoveChanged {}, "a repeat looks at the new place as well");
}

#[test]
fn t58_the_way_home_of_somebody_else_stays_open_where_an_erasure_takes_nothing_back() {
    let (mut ann, mut to, mut away) = (ann(), enrolled_in("acme"), in_account("other"));
    to.now = to.now.max(ann.now);
    let pending = depart(&ann, &to).unwrap();
    store(&mut ann, pending);
    let own = moved(&mut to, &mut away);
    erase_on_the_way(&mut ann, &to);
    withdraw(&ann, &mut to);
    assert_eq!(moved(&mut away, &mut to), own, "their factors come home");
}

#[test]
fn t58_a_user_who_has_arrived_keeps_the_factors_when_the_old_place_is_erased() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    assert_eq!(cut_off(&mut from, &mut to), (2, true));
    erase_on_the_way(&mut from, &to);
    withdraw(&from, &mut to);
    settle(&from, &mut to);
    assert_eq!(to.factors().len(), 2);
    assert!(erased(&to).is_ok(), "no move is left open");
}

#[test]
fn t57_t58_a_reset_is_refused_where_the_user_is_no_more_and_begins_anew_where_the_record_is_still_there() {
    let refused = |result: Result<Pending, Error>| result.unwrap_err().path;
    let reset = |person: &Person| operator::reset(&person.policy, &person.keys, record(person), &name(), now(person), entropy(person));
    let (mut from, to, _) = on_the_way();
    assert_eq!(refused(reset(&from)), "user");
    erase_on_the_way(&mut from, &to);
    assert_eq!(refused(reset(&from)), "user", "the erasure is completed first");
    assert_eq!(owner_acts(&mut from, "reset")["reason"], "move_under_way");
    let (mut left, mut there) = (ann(), in_account("acme"));
    assert_eq!(moved(&mut left, &mut there), 2);
    assert_eq!(refused(reset(&left)), "user", "their factors are at the other place");
    assert_eq!(owner_acts(&mut left, "reset")["reason"], "move_under_way");
    let mut gone = ann();
    let pending = erased(&gone).unwrap();
    store(&mut gone, pending);
    let pending = reset(&gone).unwrap();
    assert!(matches!(store(&mut gone, pending), Reply::RecoveryCode { .. }));
    assert!(!operator::may_delete(&record(&gone), None), "so that the record is not deleted");
}

#[test]
fn t58_of_two_moves_that_cross_both_wait_and_nothing_is_lost() {
    let (mut one, mut two) = (ann(), enrolled_in("acme"));
    two.now = one.now;
    let (first, second) = (depart(&one, &two).unwrap(), depart(&two, &one).unwrap());
    store(&mut one, first);
    store(&mut two, second);
    for (from, to) in [(&one, &two), (&two, &one)] {
        let error = arrive(from, to).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, "to"));
    }
    erase_on_the_way(&mut two, &one);
    withdraw(&two, &mut one);
    two.record = None;
    assert_eq!(moved(&mut one, &mut two), 2, "the way out is to erase one of the two");
}

#[test]
fn t58_each_step_of_a_move_takes_the_place_that_the_others_named() {
    let (mut from, mut to, mut other) = (ann(), in_account("acme"), in_account("other"));
    let pending = depart(&from, &to).unwrap();
    store(&mut from, pending);
    let pending = arrive(&from, &other).unwrap();
    assert_eq!(store(&mut other, pending), Reply::MoveChanged {});
    assert_eq!((leave(&mut from, &other), leave(&mut from, &to)), (Reply::MoveChanged {}, Reply::MoveChanged {}), "nobody has arrived");
    assert_eq!(moved(&mut from, &mut to), 2);
}

#[test]
fn t58_someone_who_had_a_factor_sets_up_no_first_one_after_a_move() {
    let forced = || policy(json!({"require": "everyone", "firstFactor": "password"}));
    for (had_one, expected) in [(true, "challenge"), (false, "set_up")] {
        let (mut from, mut to) = (if had_one { ann() } else { Person::new("ann", forced()) }, in_account("acme"));
        to.policy = forced();
        if had_one {
            while let Some(factor) = from.factors().pop() {
                from.now += 30;
                let pass = from.log_in("in");
                let id: String = factor.named.id.into();
                assert_eq!(from.reply(json!({"remove": {"session": "in", "pass": pass, "factor": id}}))["result"], "removed");
            }
        }
        assert_eq!(moved(&mut from, &mut to), 0);
        let begun = to.reply(json!({"begin": {"session": "s"}}));
        let result = if had_one { "denied" } else { expected };
        assert_eq!(begun["result"], result, "{begun}");
    }
}

#[test]
fn t58_a_move_needs_every_key_and_another_place() {
    let (from, to) = (ann(), in_account("acme"));
    let error = depart(&from, &from).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, "to"));
    let keys = KeyRing::parse(&include_str!("../vectors/keys.json").replace("test-seal", "newer-seal")).unwrap();
    let without = Person { keys, ..ann() };
    assert_eq!(depart(&without, &to).unwrap_err().code, ErrorCode::KeyMissing);
}

#[test]
fn nothing_of_an_erased_user_counts() {
    let mut person = ann();
    let pass = person.log_in("in");
    let ticket = person.ticket();
    let now = UnixSeconds::new(person.now).unwrap();
    let erase = |person: &Person| {
        operator::erase(&person.policy, &person.keys, record(person), None, &name(), now, Entropy::new([23; 32])).unwrap()
    };
    let pending = erase(&person);
    store(&mut person, pending);
    assert_eq!(told(&person), ["end passes", "erased"]);
    let text: Value = serde_json::from_str(person.record.as_deref().unwrap()).unwrap();
    for field in ["apps", "phones", "backup", "recovery"] {
        assert!(text[field].is_null(), "{field}");
    }
    let verify = json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "code": "000000"}});
    assert_eq!(person.reply(verify)["result"], "denied");
    let forced = Person { policy: policy(json!({"require": "everyone"})), ..person };
    assert_eq!(check(&forced, json!({"session": "in", "pass": pass, "fresh": true}))["result"], "denied");

    let nobody = Person::new("bob", policy(json!({})));
    assert!(erase(&nobody).to_store().is_none(), "a user without a record stays without one");
}

#[test]
fn t58_a_factor_opens_no_account_in_which_a_newcomer_shows_a_recovery_code() {
    let forced = json!({"require": "everyone"});
    let by_password = json!({"require": "everyone", "firstFactor": "password"});
    for (rules, number) in [(json!({}), 2), (by_password, 2), (forced, 0)] {
        let (mut from, mut to) = (ann(), in_account("acme"));
        to.policy = policy(rules.clone());
        assert_eq!(moved(&mut from, &mut to), number, "{rules}");
    }
}

#[test]
fn t57_t58_a_move_undoes_no_reset_and_the_password_opens_no_old_place() {
    let needs_a_code = |person: &mut Person| {
        let begun = person.reply(json!({"begin": {"session": "s"}}));
        begun["result"] == "challenge" && begun["methods"].as_array().unwrap().is_empty() || begun["result"] == "denied"
    };
    let (mut from, mut to) = (ann(), in_account("acme"));
    by_owner(&mut from, "reset");
    assert_eq!(moved(&mut from, &mut to), 0);
    assert!(needs_a_code(&mut to), "the reset holds at the new place, without its code");

    let (mut from, mut to) = (ann(), Person::enrolled("bob", policy(json!({}))));
    to.now = from.now.max(to.now);
    by_owner(&mut to, "reset");
    to.now += 7_200;
    assert_eq!(moved(&mut from, &mut to), 0, "nothing comes to a user who was reset");
    assert!(needs_a_code(&mut to) && needs_a_code(&mut from));
}

#[test]
fn t58_what_was_used_and_charged_at_the_new_place_stays_when_the_move_is_done_again() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let code = to.code();
    assert_eq!(to.verify("totp", &code)["result"], "verified");
    for _ in 0..5 {
        to.verify("totp", "000000");
    }
    let failures = to.failures();
    assert_eq!(moved(&mut from, &mut to), 2);
    assert_eq!(to.failures(), failures);
    to.now += 3_600;
    from.now = to.now;
    let ticket = to.ticket();
    to.now -= 3_600;
    let replay = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": code}});
    assert_ne!(to.reply(replay)["result"], "verified");
}

#[test]
fn t44_t58_an_app_that_was_removed_at_the_new_place_does_not_come_back() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let pass = to.log_in("in");
    let left = json!({"remove": {"session": "in", "pass": pass, "method": "sms"}});
    assert_eq!(to.reply(left)["result"], "removed");
    moved(&mut from, &mut to);
    assert_eq!(to.factors().len(), 1);
}

#[test]
fn t44_t58_nothing_that_was_removed_reset_or_rescued_at_the_new_place_comes_back() {
    // The last app is removed.
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let code = to.code();
    let mut pass = to.log_in("in");
    while let Some(factor) = to.factors().last() {
        let id: String = factor.named.id.clone().into();
        let removed = to.reply(json!({"remove": {"session": "in", "pass": pass, "factor": id}}));
        pass = removed["pass"].as_str().unwrap_or_else(|| panic!("{removed}")).to_owned();
    }
    assert_eq!(moved(&mut from, &mut to), 0);
    assert!(to.factors().is_empty(), "neither the app nor its code {code} counts again");

    // A reset, and the recovery code after it.
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    by_owner(&mut to, "reset");
    let code = by_operator(&mut to)["code"].as_str().unwrap().to_owned();
    assert_eq!(to.verify("recovery_code", &code)["result"], "verified");
    assert_eq!(moved(&mut from, &mut to), 0);
    assert!(to.factors().is_empty());
}

#[test]
fn t58_a_move_that_is_complete_changes_nothing_when_it_is_done_again() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    moved(&mut from, &mut to);
    let before = (from.record.clone(), to.record.clone());
    assert_eq!(moved(&mut from, &mut to), 2);
    assert_eq!((from.record.clone(), to.record.clone()), before);

    // A rescue opens the old place again, to a new life: what is set up there takes the place of nothing.
    let pass = rescue(&mut from);
    let started = from.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    from.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = from.code();
    assert_eq!(from.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["result"], "enrolled");
    let kept = to.factors();
    moved(&mut from, &mut to);
    assert_eq!(to.factors(), kept);
}

#[test]
fn t58_a_user_without_a_factor_is_locked_out_by_no_move() {
    for rules in [json!({}), json!({"require": "everyone", "firstFactor": "password"})] {
        let (mut from, mut to) = (Person::new("ann", policy(rules.clone())), in_account("acme"));
        to.policy = policy(rules.clone());
        from.reply(json!({"password_changed": {}}));
        let before = to.reply(json!({"begin": {"session": "s"}}))["result"].clone();
        for _ in 0..2 {
            assert_eq!(moved(&mut from, &mut to), 0);
            assert_eq!(to.reply(json!({"begin": {"session": "s"}}))["result"], before, "{rules}");
        }
        // And back.
        assert_eq!(moved(&mut to, &mut from), 0);
        assert_eq!(from.reply(json!({"begin": {"session": "s"}}))["result"], before, "{rules}");
    }
}

#[test]
fn t57_t58_a_reset_that_comes_along_ends_the_sessions_of_the_new_place() {
    let mut to = Person::new("ann", policy(json!({"require": "everyone"})));
    to.account = Some("acme".to_owned());
    to.now = ann().now;
    let pass = rescue(&mut to);
    let started = to.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    assert_eq!(started["result"], "totp_started");

    let mut from = ann();
    by_owner(&mut from, "reset");
    moved(&mut from, &mut to);
    assert_eq!(check(&to, json!({"session": "in", "pass": pass}))["reason"], "recovery_code_required");
    let confirm = json!({"confirm_totp": {"session": "in", "setup": started["setup"], "code": "000000"}});
    assert_eq!(to.reply(confirm)["result"], "expired");
    assert_eq!(to.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}))["reason"], "fresh_factor_required");
}

#[test]
fn t58_a_move_that_is_done_again_after_the_old_place_was_erased_takes_nothing_away() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    moved(&mut from, &mut to);
    from.record = None;
    let before = to.factors();
    moved(&mut from, &mut to);
    assert_eq!(to.factors(), before);
}

#[test]
fn t58_somebody_who_gets_the_id_of_an_erased_place_brings_nothing_in_the_name_of_an_old_move() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    moved(&mut from, &mut to);
    let mut other = Person::new("ann", policy(json!({})));
    other.now = from.now;
    // Not the entropy of ann once more.
    other.draws.set(77_000_000);
    let started = other.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    other.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = other.code();
    assert_eq!(other.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["result"], "enrolled");
    let before = to.factors();
    moved(&mut other, &mut to);
    assert_eq!(to.factors(), before);
}

#[test]
fn t58_a_half_done_erasure_is_no_reset() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let now = UnixSeconds::new(from.now).unwrap();
    let erased = operator::erase(&from.policy, &from.keys, record(&from), None, &name(), now, Entropy::new([24; 32])).unwrap();
    store(&mut from, erased);
    moved(&mut from, &mut to);
    assert_eq!(to.factors().len(), 2);
}

#[test]
fn t58_a_move_back_waits_until_the_first_is_complete_and_comes_back_whole() {
    let (mut from, mut to) = (ann(), in_account("acme"));
    cut_off(&mut from, &mut to);
    let error = depart(&to, &from).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, "from"));
    moved(&mut from, &mut to);
    for _ in 0..2 {
        assert_eq!(moved(&mut to, &mut from), 2);
        assert_eq!((from.factors().len(), to.factors().len()), (2, 0));
        assert_eq!(moved(&mut from, &mut to), 2);
        assert_eq!((from.factors().len(), to.factors().len()), (0, 2));
    }
}

#[test]
fn t58_no_move_ends_what_cannot_come() {
    // A ring of three places: the first was left, and is closed until it is erased.
    let (mut first, mut second, mut third) = (ann(), in_account("acme"), in_account("other"));
    moved(&mut first, &mut second);
    moved(&mut second, &mut third);
    let error = depart(&third, &first).unwrap_err();
    assert_eq!((error.code, error.path.as_str(), third.factors().len()), (ErrorCode::InvalidInput, "to", 2));
    first.record = None;
    assert_eq!(moved(&mut third, &mut first), 2);

    // The old place was erased after the move, and the user comes back.
    let (mut old, mut new) = (ann(), in_account("acme"));
    moved(&mut old, &mut new);
    old.record = None;
    assert_eq!(moved(&mut new, &mut old), 2);
}

#[test]
fn t58_the_password_alone_opens_nothing_because_a_factor_could_not_come() {
    let by_role = json!({"require": {"roles": ["owner"]}});
    for (rules, has_code) in [(by_role, false), (json!({}), true)] {
        let (mut from, mut to) = (ann(), in_account("acme"));
        (to.policy, to.now, to.roles) = (policy(rules.clone()), from.now, Roles::Known(vec!["member".to_owned()]));
        if has_code {
            by_operator(&mut to);
        }
        assert_eq!(moved(&mut from, &mut to), 0);
        let begun = to.reply(json!({"begin": {"session": "s"}}));
        assert_ne!(begun["result"], "allowed", "{rules}");
        let enroll = json!({"enroll_totp": {"session": "s", "label": "ann"}});
        assert_eq!(to.reply(enroll)["reason"], "fresh_factor_required", "{rules}");
    }
}

#[test]
fn an_erasure_ends_no_pass_of_a_record_that_is_made_in_the_same_second() {
    let mut person = ann();
    let before = person.record.clone();
    let now = UnixSeconds::new(person.now).unwrap();
    let pending = operator::erase(&person.policy, &person.keys, record(&person), None, &name(), now, Entropy::new([25; 32])).unwrap();
    store(&mut person, pending);
    let told =
        person.effects.iter().find_map(|effect| if let Effect::EndPasses(ended) = effect { Some(ended.epoch.clone()) } else { None });
    let (listed, earlier) = (told.unwrap(), before.unwrap());
    let earlier: Value = serde_json::from_str(&earlier).unwrap();
    let anew = format!("{:012}.AAAAAAAAAAAA", person.now);
    assert!(listed.as_str() > earlier["epoch"].as_str().unwrap() && listed.as_str() < anew.as_str());
}
