//! The operator's commands in a story: `operator_reset`, `operator_moved` and `operator_erased`.

use std::collections::BTreeMap;

use countersign::engine::operator::MoveStep;
use countersign::engine::{Pending, Reply, operator};
use countersign::entropy::Entropy;
use countersign::ids::{AccountId, OperatorId, RecordId, UserId};
use countersign::keys::KeyRing;
use countersign::policy::Policy;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

/// The circumstances of a command.
pub(super) struct Operated<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a KeyRing,
    pub(super) now: UnixSeconds,
    pub(super) seed: [u8; 32],
}

type Records = BTreeMap<RecordId, String>;

/// The reply to a command of the operator's about a user; `None` for any other command.
pub(super) fn play(wire: &Value, records: &mut Records, id: &RecordId, at: &Operated<'_>, place: &str) -> Option<Value> {
    let (Operated { policy, keys, now, seed }, name) = (at, OperatorId::new("night shift").unwrap());
    let entropy = |step: u8| Entropy::new(std::array::from_fn(|byte| if byte == 31 { step } else { seed[byte] }));
    let reply = if wire.get("operator_reset").is_some() {
        store(records, id, operator::reset(policy, keys, record(records, id), &name, *now, entropy(1)).unwrap())
    } else if wire.get("operator_erased").is_some() {
        store(records, id, operator::erase(policy, keys, record(records, id), None, &name, *now, entropy(1)).unwrap());
        records.remove(id);
        Reply::Ended {}
    } else if let Some(fields) = wire.get("operator_moved") {
        let text = |field: &str| fields["to"][field].as_str();
        let account = text("account").map(|account| AccountId::new(account).unwrap());
        let user = text("user").unwrap_or_else(|| panic!("{place}: a move has a user in `to`"));
        let to = RecordId::new(account, UserId::new(user).unwrap());
        let departed =
            operator::move_step(policy, keys, record(records, id), MoveStep::Depart, &record(records, &to), &name, *now, entropy(1))
                .unwrap();
        let departed = store(records, id, departed);
        if departed == (Reply::Ended {}) {
            let mut arrived = Reply::MoveChanged {};
            // The first run may make the record.
            for step in [2, 3] {
                if arrived == (Reply::MoveChanged {}) {
                    let (new, old) = (record(records, &to), record(records, id));
                    arrived = store(
                        records,
                        &to,
                        operator::move_step(policy, keys, new, MoveStep::Arrive, &old, &name, *now, entropy(step)).unwrap(),
                    );
                }
            }
            let left =
                operator::move_step(policy, keys, record(records, id), MoveStep::Leave, &record(records, &to), &name, *now, entropy(4))
                    .unwrap();
            assert_eq!(store(records, id, left), Reply::Ended {}, "{place}");
            let settled =
                operator::move_step(policy, keys, record(records, &to), MoveStep::Settle, &record(records, id), &name, *now, entropy(5))
                    .unwrap();
            assert_eq!(store(records, &to, settled), Reply::Ended {}, "{place}");
            arrived
        } else {
            departed
        }
    } else {
        return None;
    };
    Some(if reply == (Reply::Ended {}) { json!({"result": "ended"}) } else { serde_json::to_value(&reply).unwrap() })
}

fn record(records: &Records, id: &RecordId) -> Record {
    records.get(id).map_or_else(|| Record::new(id.clone()), |text| Record::parse(id, text).unwrap())
}

fn store(records: &mut Records, id: &RecordId, pending: Pending) -> Reply {
    if let Some(record) = pending.to_store() {
        records.insert(id.clone(), record.to_text());
    }
    pending.stored().0
}
