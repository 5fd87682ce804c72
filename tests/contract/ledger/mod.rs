//! The contract of `Ledger`. Each engine runs the whole suite through `suite!`.

mod crm;
mod marks;
mod reading;
mod writing;

macro_rules! suite {
    ($engine:ident, $open:expr) => {
        mod $engine {
            suite!(
                $open,
                [
                    writing::numbers_have_no_gap_and_each_caller_keeps_its_order,
                    writing::an_id_answers_for_ever_with_its_first_outcome,
                    writing::a_refused_command_leaves_nothing_and_its_neighbours_alone,
                    writing::stale_says_what_others_wrote_after_seen,
                    marks::badges_follow_reading_and_answering,
                    marks::marks_go_forward_only_and_land_on_the_other_sides_last_message,
                    reading::views_page_without_a_gap,
                    reading::the_inbox_lists_threads_by_their_last_activity,
                    writing::commits_are_handed_on_in_order_with_their_badges,
                    crm::saying_the_same_twice_changes_nothing,
                    crm::one_contact_gets_one_thread_however_many_ask_at_once,
                    crm::names_are_frozen_at_sending,
                    crm::a_revocation_is_remembered,
                    writing::closing_keeps_what_was_queued_and_refuses_what_comes_later,
                ]
            );
        }
    };
    ($open:expr, [$($group:ident::$test:ident),* $(,)?]) => {
        $(#[tokio::test]
        async fn $test() {
            super::$group::$test(crate::book::Book::open($open.await).await).await;
        })*
    };
}

suite!(on_sqlite, crate::book::sqlite());
suite!(on_postgres, crate::book::postgres());
