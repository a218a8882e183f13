//! What holds for a payment whatever is tried on it, in whatever order answers come.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::fixtures::{AMOUNT, adopt, initiate, refund};
use super::{
    Operation, Payment, PaymentCommand, PaymentOnRecord, PaymentState, PaymentStatus,
    ProviderOutcome,
};
use crate::Decider;

/// A command, or an answer to some call on record.
#[derive(Debug, Clone)]
enum Step {
    Command(PaymentCommand),
    Answer { attempt: Index, succeeded: bool, amount: Amount, reference: u8 },
}

/// What a provider says has moved.
#[derive(Debug, Clone)]
enum Amount {
    AsAsked,
    Other(i64),
}

fn steps() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![
        4 => Just(Amount::AsAsked),
        1 => (-1..=AMOUNT + 1).prop_map(Amount::Other),
    ];
    let answer = (any::<Index>(), prop::bool::weighted(0.8), amount, 0_u8..8);
    prop_oneof![
        1 => Just(Step::Command(initiate())),
        3 => Just(Step::Command(PaymentCommand::RequestCapture)),
        2 => Just(Step::Command(PaymentCommand::RequestVoid)),
        1 => Just(Step::Command(PaymentCommand::ExpireAuthorization)),
        4 => (30_u128..40, 1..=AMOUNT / 2).prop_map(|(id, amount)| Step::Command(refund(id, amount))),
        2 => (35_u128..45, 1..=AMOUNT / 2, 0_u8..8)
            .prop_map(|(id, amount, n)| Step::Command(adopt(id, amount, &format!("re_{n}")))),
        8 => answer.prop_map(|(attempt, succeeded, amount, reference)| Step::Answer {
            attempt, succeeded, amount, reference,
        }),
    ]
}

fn command(state: &PaymentState, step: &Step) -> Option<PaymentCommand> {
    let (attempt, succeeded, amount, reference) = match step {
        Step::Command(command) => return Some(command.clone()),
        Step::Answer { attempt, succeeded, amount, reference } => {
            (attempt, succeeded, amount, reference)
        }
    };
    let attempts = &state.as_ref()?.attempts;
    let (key, asked) = attempts.iter().nth(attempt.index(attempts.len()))?;
    let outcome = if *succeeded {
        ProviderOutcome::Succeeded {
            amount_minor: match amount {
                Amount::AsAsked => asked.amount_minor,
                Amount::Other(amount) => *amount,
            },
            provider_reference: format!("re_{reference}"),
            expires_at: None,
        }
    } else {
        ProviderOutcome::Failed { code: "refused".to_owned() }
    };
    Some(PaymentCommand::RecordOutcome { operation: asked.operation, key: key.clone(), outcome })
}

fn check(payment: &PaymentOnRecord) {
    assert!(0 <= payment.refunded_minor, "{payment:?}");
    assert!(payment.refunded_minor <= payment.captured_minor, "{payment:?}");
    assert!(payment.captured_minor <= payment.authorized_minor, "{payment:?}");
    assert!(payment.authorized_minor <= payment.amount_minor, "{payment:?}");
    assert!(
        payment.voided_minor + payment.captured_minor <= payment.authorized_minor,
        "{payment:?}"
    );
    assert_eq!(
        payment.refundable_minor() + payment.refunded_minor + payment.refunds_under_way_minor(),
        payment.captured_minor,
        "{payment:?}"
    );
    let captures = payment
        .attempts_at(Operation::Capture)
        .filter(|attempt| !matches!(attempt.outcome, Some(ProviderOutcome::Failed { .. })));
    assert!(captures.count() <= 1, "one capture for one intended capture: {payment:?}");
    match payment.status() {
        PaymentStatus::Initiated | PaymentStatus::Failed => assert_eq!(payment.authorized_minor, 0),
        PaymentStatus::Authorized => assert!(payment.held_minor() > 0),
        PaymentStatus::Voided => assert_eq!(payment.held_minor(), 0),
        PaymentStatus::Captured => assert!(payment.captured_minor > 0),
        PaymentStatus::PartiallyRefunded => {
            assert!(payment.refunded_minor < payment.captured_minor)
        }
        PaymentStatus::Refunded => assert_eq!(payment.refunded_minor, payment.captured_minor),
    }
}

proptest! {
    #[test]
    fn refunded_within_captured_within_authorized_within_the_amount(
        steps in vec(steps(), 0..80),
    ) {
        let mut state = None;
        for step in [Step::Command(initiate())].iter().chain(&steps) {
            let Some(command) = command(&state, step) else { continue };
            let Ok(events) = Payment::decide(&state, &command) else { continue };
            for event in &events {
                Payment::evolve(&mut state, event);
            }
            prop_assert_eq!(Payment::decide(&state, &command), Ok(vec![]), "{:?}", command);
            check(state.as_ref().unwrap());
        }
    }

    /// Once every call is answered, nothing is under way and nothing unknown.
    #[test]
    fn answered_calls_leave_nothing_unknown(steps in vec(steps(), 0..60)) {
        let mut state = None;
        let run = |command: PaymentCommand, state: &mut PaymentState| {
            for event in Payment::decide(state, &command).unwrap_or_default() {
                Payment::evolve(state, &event);
            }
        };
        run(initiate(), &mut state);
        for step in &steps {
            if let Some(command) = command(&state, step) {
                run(command, &mut state);
            }
        }
        let pending: Vec<_> = state.as_ref().unwrap().pending()
            .map(|(key, attempt)| (key.clone(), attempt.clone()))
            .collect();
        for (key, attempt) in pending {
            let outcome = ProviderOutcome::Succeeded {
                amount_minor: attempt.amount_minor,
                provider_reference: key.clone(),
                expires_at: None,
            };
            run(PaymentCommand::RecordOutcome { operation: attempt.operation, key, outcome }, &mut state);
        }
        let payment = state.as_ref().unwrap();
        prop_assert!(!payment.is_unknown(), "{:?}", payment);
        prop_assert_eq!(payment.refunds_under_way_minor(), 0);
        check(payment);
    }
}
