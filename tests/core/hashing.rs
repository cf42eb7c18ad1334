//! Hashes that the host computes: what leaves a step, what comes of it, and what a lost race keeps (T43, C3).

use crate::support::{Person, ann, issue, policy};
use countersign::effect::Effect;
use countersign::engine::{
    Command, Env, IssueRecoveryCode, Pending, Progress, issue_recovery_code, issue_recovery_code_with_hashes, operator, step,
    step_with_hashes,
};
use countersign::entropy::Entropy;
use countersign::hashed_codes::{FinishedHash, HashJob};
use countersign::ids::OperatorId;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

/// The end of a step: the record to store, the reply and the effects, or the jobs.
#[derive(Debug, PartialEq)]
enum End {
    Outcome(Option<String>, Value, Vec<Effect>),
    Jobs(Vec<HashJob>),
}

struct Run<'a> {
    person: &'a Person,
    command: Value,
}

impl Run<'_> {
    fn record(&self) -> Record {
        let id = self.person.id();
        self.person.record.as_ref().map_or_else(|| Record::new(id.clone()), |text| Record::parse(&id, text).unwrap())
    }

    fn env(&self, entropy: Entropy) -> Env {
        Env { now: UnixSeconds::new(self.person.now).unwrap(), client: self.person.ip, roles: self.person.roles.clone(), entropy }
    }

    fn command(&self) -> Command {
        Command::parse(&self.command.to_string()).unwrap()
    }

    /// The question and the issuer's record, where a recovery code is issued.
    fn issuing(&self) -> Option<(IssueRecoveryCode, Record)> {
        let question = IssueRecoveryCode::parse(&self.command.get("issue_recovery_code")?.to_string()).unwrap();
        let by = self.person.id().with_user(question.by.user.clone());
        let issuer = Record::parse(&by, self.person.issuer.as_deref().unwrap()).unwrap();
        Some((question, issuer))
    }

    /// The operator who issues a recovery code, where one does.
    fn operator(&self) -> Option<OperatorId> {
        Some(OperatorId::new(self.command.get("operator_issues")?.as_str()?).unwrap())
    }

    fn at_once(&self, entropy: Entropy) -> End {
        let Person { policy, keys, .. } = self.person;
        let (record, env) = (self.record(), self.env(entropy));
        let pending = if let Some(name) = self.operator() {
            operator::issue_recovery_code(policy, keys, record, &name, env.now, env.entropy)
        } else if let Some((question, issuer)) = self.issuing() {
            issue_recovery_code(policy, keys, record, &issuer, &question, env)
        } else {
            step(policy, keys, record, self.command(), env)
        };
        Self::outcome(pending.unwrap())
    }

    fn with(&self, finished: &[FinishedHash], entropy: Entropy) -> End {
        let Person { policy, keys, .. } = self.person;
        let (record, env) = (self.record(), self.env(entropy));
        let progress = if let Some(name) = self.operator() {
            operator::issue_recovery_code_with_hashes(policy, keys, record, &name, env.now, env.entropy, finished)
        } else if let Some((question, issuer)) = self.issuing() {
            issue_recovery_code_with_hashes(policy, keys, record, &issuer, &question, env, finished)
        } else {
            step_with_hashes(policy, keys, record, self.command(), env, finished)
        };
        match progress.unwrap() {
            Progress::Done(pending) => Self::outcome(*pending),
            Progress::Hash(jobs) => End::Jobs(jobs),
        }
    }

    fn outcome(pending: Pending) -> End {
        let record = pending.to_store().map(Record::to_text);
        let (reply, effects) = pending.stored();
        End::Outcome(record, serde_json::to_value(&reply).unwrap(), effects)
    }

    fn jobs(&self, entropy: Entropy) -> Vec<HashJob> {
        match self.with(&[], entropy) {
            End::Jobs(jobs) => jobs,
            End::Outcome(..) => panic!("no hash was asked for"),
        }
    }
}

fn computed(jobs: &[HashJob]) -> Vec<FinishedHash> {
    jobs.iter().cloned().map(HashJob::compute).collect()
}

/// Each command that hashes, ready to run, with the number of its hashes.
fn hashing_commands() -> Vec<(Person, Value, usize)> {
    let mut beginner = Person::new("ann", policy(json!({})));
    let started = beginner.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    beginner.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let confirm = json!({"confirm_totp": {"session": "s", "setup": beginner.setup, "code": beginner.code()}});

    let mut enrolled = ann();
    let pass = enrolled.log_in("in");
    let renew = json!({"renew_backup_codes": {"session": "in", "pass": pass}});
    let mut owner = Person::enrolled("olga", policy(json!({})));
    owner.now = enrolled.now.max(owner.now);
    let by = json!({"user": "olga", "session": "owner", "pass": owner.log_in("owner"), "role": "owner"});
    enrolled.issuer.clone_from(&owner.record);
    let issued = json!({"issue_recovery_code": {"by": by}});
    let ticket = enrolled.ticket();
    let verify = |method: &str, code: &str| json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}});
    let (backup, wrong) = (verify("backup_code", &enrolled.backup[0]), verify("backup_code", "0000-0000-0000-0000"));
    let mut rescued = enrolled.clone();
    let recovery = verify("recovery_code", &issue(&mut rescued));
    vec![
        (beginner, confirm, 3),
        (enrolled.clone(), renew, 3),
        (enrolled.clone(), issued, 1),
        (enrolled.clone(), json!({"operator_issues": "night shift"}), 1),
        (enrolled.clone(), backup, 1),
        (enrolled, wrong, 1),
        (rescued, recovery, 1),
    ]
}

#[test]
fn t43_c3_a_step_hands_out_its_hashes_and_ends_as_if_it_had_computed_them() {
    for (person, command, count) in hashing_commands() {
        let run = Run { person: &person, command };
        let entropy = || Entropy::again([1; 32], [2; 32]);
        let jobs = run.jobs(entropy());
        assert_eq!(jobs.len(), count, "{}: all at once", run.command);
        assert_eq!(run.jobs(entropy()), jobs, "the same run asks for the same hashes");
        let (last, others) = jobs.split_last().unwrap();
        assert_eq!(run.with(&computed(others), entropy()), End::Jobs(vec![last.clone()]), "one is missing");
        assert_eq!(run.with(&computed(&jobs), entropy()), run.at_once(entropy()), "{}", run.command);
    }
}

#[test]
fn t43_a_job_holds_no_key_no_code_and_no_user() {
    let ring: Value = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
    let mut keys = Vec::new();
    for list in ["sealing", "signing"] {
        for key in ring[list].as_array().unwrap() {
            let secret = key["secret"].as_str().unwrap().replace('-', "+").replace('_', "/");
            keys.push(data_encoding::BASE64_NOPAD.decode(secret.as_bytes()).unwrap());
        }
    }
    assert!(keys.len() >= 2);
    for (person, command, _) in hashing_commands() {
        let run = Run { person: &person, command };
        for job in run.jobs(Entropy::new([2; 32])) {
            let bytes = job.to_bytes();
            assert_eq!(bytes.len(), 12 + 32 + 16, "a cost, an HMAC and a salt");
            for key in &keys {
                // Any eight bytes of a key, so that a part of it is found too.
                assert!(key.windows(8).all(|part| bytes.windows(8).all(|window| window != part)), "{}", run.command);
            }
            let code = run.command["verify"]["code"].as_str().unwrap_or("(made here)");
            for text in [code, &code.replace('-', ""), &person.user] {
                assert!(bytes.windows(text.len()).all(|window| window != text.as_bytes()), "{}", run.command);
            }
            assert_eq!(HashJob::from_bytes(&bytes).unwrap(), job);
            assert_eq!(format!("{job:?} {:?}", job.clone().compute()), "HashJob(…) FinishedHash(…)");
        }
    }
    for bad in [&[0; 60][..], &[1; 59], &[]] {
        assert!(HashJob::from_bytes(bad).is_err());
    }
}

#[test]
fn t43_a_lost_race_keeps_its_hashes_and_uses_no_nonce_twice() {
    let keeping = policy(json!({"backupCodes": {"keepForShowing": true}}));
    for (mut person, command, _) in hashing_commands() {
        person.policy = keeping.clone();
        let run = Run { person: &person, command };
        let finished = computed(&run.jobs(Entropy::new([1; 32])));
        let End::Outcome(Some(first), reply, _) = run.with(&finished, Entropy::new([1; 32])) else { panic!("{}", run.command) };
        let End::Outcome(Some(again), same, _) = run.with(&finished, Entropy::again([1; 32], [2; 32])) else {
            panic!("{}: another hash was asked for", run.command)
        };
        for shown in ["backupCodes", "codes", "code"] {
            assert_eq!(reply[shown], same[shown], "the codes of the first try");
        }
        let nonces = |record: &str| {
            let record: Value = serde_json::from_str(record).unwrap();
            record["backup"]["copy"]["nonce"].as_str().map(ToOwned::to_owned)
        };
        if reply["codes"].is_array() || reply["backupCodes"].is_array() {
            assert!(nonces(&first).is_some(), "{first}");
            assert_ne!(nonces(&first), nonces(&again), "a copy is sealed with a fresh nonce");
        }
        // Another call makes other codes, which have other hashes.
        if reply["result"] != "verified" && reply["result"] != "wrong" {
            assert!(matches!(run.with(&finished, Entropy::new([2; 32])), End::Jobs(_)));
        }
    }
}

#[test]
fn t43_a_run_without_its_hash_charges_nothing_and_the_one_with_it_charges_before_it_compares() {
    let mut person = ann();
    let ticket = person.ticket();
    let command = json!({"verify": {"ticket": ticket, "session": "s", "method": "backup_code", "code": "0000-0000-0000-0000"}});
    let before = person.failures();
    let finished = computed(&Run { person: &person, command: command.clone() }.jobs(Entropy::new([3; 32])));
    assert_eq!(person.failures(), before);
    let run = Run { person: &person, command: command.clone() };
    let End::Outcome(record, reply, _) = run.with(&finished, Entropy::new([3; 32])) else { panic!("the hash is there") };
    assert_eq!(reply["result"], "wrong");
    person.record = record;
    assert_eq!(person.failures(), before + 1);

    // Locked meanwhile: the finished hash is not even looked at, and none is asked for.
    for _ in 0..4 {
        person.verify("totp", "000000");
    }
    let run = Run { person: &person, command };
    for finished in [&[], &finished[..]] {
        let End::Outcome(record, reply, _) = run.with(finished, Entropy::new([4; 32])) else { panic!("a hash was asked for") };
        assert_eq!((record, &reply["result"]), (None, &json!("locked")));
    }
}

#[test]
fn t43_a_hash_of_another_job_is_not_taken() {
    for (person, command, _) in hashing_commands() {
        let run = Run { person: &person, command };
        let others: Vec<FinishedHash> = run
            .jobs(Entropy::new([1; 32]))
            .iter()
            .map(|job| {
                let mut bytes = job.to_bytes();
                bytes[59] ^= 1;
                HashJob::from_bytes(&bytes).unwrap().finished([0; 32])
            })
            .collect();
        assert!(matches!(run.with(&others, Entropy::new([1; 32])), End::Jobs(_)));
    }
}
