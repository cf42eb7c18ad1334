//! The account at the gate: a pass or ticket of another account opens nothing.

use countersign::effect::Effect;
use countersign::engine::{Command, Reply, ticket_user};
use countersign::error::{Error, ErrorCode};
use countersign::gate::{Outcome, Verdict};
use countersign::ids::{AccountId, UserId};
use countersign::policy::Reason;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::gate::{COOKIE, answer, config, gate, header, headers, judge, judged, parsed, refused, stored};
use crate::support::{Person, keys, policy};

const ACCOUNTS: [Option<&str>; 3] = [None, Some("strict"), Some("lenient")];

/// Ann in an account, with a pass of session `in`.
fn enrolled_in(account: Option<&str>) -> (Person, String) {
    let mut ann = Person::new("ann", policy(json!({"backupCodes": {"count": 1}})));
    ann.account = account.map(str::to_owned);
    let started = ann.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    ann.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = ann.code();
    assert_eq!(ann.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["result"], "enrolled");
    ann.now += 60;
    let pass = ann.log_in("in");
    ann.now += 60;
    (ann, pass)
}

#[test]
fn c1_t41_the_gate_admits_passes_of_its_accounts_only() {
    for account in ACCOUNTS {
        let (ann, pass) = enrolled_in(account);
        let request = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in")), ("x-second-factor-account", "forged")]);
        let mut told = Vec::new();
        for accounts in [json!("none"), json!({"one": "strict"}), json!({"one": "lenient"}), json!("any")] {
            let is_ours = match (accounts.as_str(), accounts["one"].as_str()) {
                (Some("any"), _) => true,
                (_, one) => one == account,
            };
            let judgement = judged(judge(&mut gate(json!({"accounts": accounts, "verify": null})), &request, ann.now));
            let refusal = (!is_ours).then(|| (401, "other_account".to_owned()));
            assert_eq!(refused(&judgement), refusal, "{account:?} at {accounts}");
            if let Outcome::Admit(admission) = &judgement.outcome {
                let changes = admission.changes(&request);
                told.push(changes.iter().rev().find(|(name, _)| *name == "x-second-factor-account").unwrap().1.map(<[u8]>::to_vec));
            }
        }
        assert_eq!(told, vec![account.map(|account| account.as_bytes().to_vec()); 2], "the upstream is told the account of {account:?}");
    }
    assert_eq!(refused(&judged(judge(&mut gate(json!({})), &headers("/reports", &[]), 1_800_000_000))), Some((401, "no_pass".to_owned())));
}

#[test]
fn t41_a_code_is_verified_against_the_record_of_its_account() {
    let (mut ann, _) = enrolled_in(Some("a/b"));
    let (ticket, code) = (ann.ticket(), ann.code());
    let request = headers("/reports", &[("cookie", "sid=s"), ("x-otp", &code), ("x-otp-ticket", &ticket)]);
    for accounts in [json!("none"), json!({"one": "other"})] {
        let judgement = judged(judge(&mut gate(json!({"accounts": accounts})), &request, ann.now));
        assert_eq!(refused(&judgement), Some((401, "ticket_invalid".to_owned())), "{accounts}");
    }
    let mut gate = gate(json!({"accounts": {"one": "a/b"}}));
    let Verdict::CallOut(call_out, verification) = judge(&mut gate, &request, ann.now) else { panic!("no call-out") };
    assert_eq!(header(&call_out, ":path"), "/2fa/accounts/a%2Fb/records/ann");
    let Verdict::CallOut(call_out, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
        panic!("no write");
    };
    assert_eq!(header(&call_out, ":path"), "/2fa/accounts/a%2Fb/records/ann");
    let judgement = judged(answer(&mut gate, *verification, "204", b"", ann.now));
    assert_eq!(refused(&judgement), None);
}

#[test]
fn t41_ended_users_are_those_of_their_account() {
    let source = json!({"cluster": "login", "authority": "login", "path": "/2fa/revoked"});
    let ended = |account: Option<&str>, until: u64| match account {
        None => json!({"v": 1, "users": {"ann": until}}),
        Some(account) => json!({"v": 1, "accounts": {account: {"users": {"ann": until}}}}),
    };
    for mine in ACCOUNTS {
        let (ann, pass) = enrolled_in(mine);
        let request = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]);
        let mut gate = gate(json!({"accounts": "any", "verify": null, "revocation": source}));
        for listed in ACCOUNTS {
            let list = ended(listed, ann.now).to_string();
            let response = countersign::gate::CallOutResponse { status: Some(b"200"), body: Some(list.as_bytes()) };
            assert!(gate.take_revocations(&response, countersign::time::UnixSeconds::new(ann.now).unwrap()));
            let refusal = (listed == mine).then(|| (401, "pass_revoked".to_owned()));
            assert_eq!(refused(&judged(judge(&mut gate, &request, ann.now))), refusal, "{mine:?}, listed {listed:?}");
        }
    }
}

#[test]
fn t41_codes_of_any_account_are_not_verified_by_one_policy() {
    let verify = config(&json!({}))["verify"].clone();
    let error = |accounts: Value, verify: &Value| parsed(&json!({"accounts": accounts, "verify": verify})).err();
    let Error { code, path, message } = error(json!("any"), &verify).unwrap();
    assert_eq!((code, path.as_str()), (ErrorCode::InvalidConfig, "verify"));
    assert!(message.contains("`accounts`"), "{message}");
    for accounts in [json!("none"), json!({"one": "acme"})] {
        assert_eq!(error(accounts, &verify), None);
    }
    assert_eq!(error(json!("any"), &Value::Null), None);
}

/// T41: a host that has to find the user of a ticket asks in an account, and finds none of another account.
#[test]
fn c1_t41_a_ticket_names_its_user_in_its_own_account_only() {
    for account in ACCOUNTS {
        let (mut ann, _) = enrolled_in(account);
        let ticket = ann.ticket();
        let (keys, now) = (keys(), UnixSeconds::new(ann.now).unwrap());
        for asked in ACCOUNTS {
            let command = json!({"send_sms": {"session": "s", "ticket": ticket}}).to_string();
            let asked_in = asked.map(|account| AccountId::new(account).unwrap());
            let user = ticket_user(&keys, asked_in.as_ref(), &Command::parse(&command).unwrap(), now);
            let expected = if asked == account {
                Ok(UserId::new("ann").unwrap())
            } else {
                Err(Reply::Denied { reason: Reason::TicketInvalid, retry_at: None })
            };
            assert_eq!(user, expected, "a ticket of {account:?}, asked for in {asked:?}");
        }
    }
}

#[test]
fn c1_t41_notices_and_ended_passes_name_the_account() {
    for account in ACCOUNTS {
        let (mut ann, pass) = enrolled_in(account);
        ann.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
        let named = |effect: &Effect| match effect {
            Effect::EndPasses(ended) => ended.account.clone(),
            Effect::Log(event) => event.account.clone(),
            Effect::Notify(notice) => notice.account.clone(),
            Effect::Sms(_) => panic!("no message was asked for"),
        };
        let accounts: Vec<_> = ann.effects.iter().map(named).collect();
        assert_eq!(accounts, vec![account.map(|account| AccountId::new(account).unwrap()); 3], "end of passes, event and notice");
    }
}
