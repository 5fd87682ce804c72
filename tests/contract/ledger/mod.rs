//! The contract of `Ledger`. Each engine runs the whole suite through `suite!`.

mod by_hand;
mod crm;
mod handoffs;
mod marks;
pub mod photos;
mod reading;
mod search;
pub mod texts;
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
                    reading::a_page_lies_around_what_was_asked_for_and_names_both_its_ends,
                    reading::the_inbox_lists_threads_by_their_last_activity,
                    writing::commits_are_handed_on_in_order_with_their_badges,
                    crm::saying_the_same_twice_changes_nothing,
                    crm::one_contact_gets_one_thread_however_many_ask_at_once,
                    crm::staff_begin_a_conversation_with_a_new_contact_and_a_known_phone_leads_to_whose_it_is,
                    crm::contacts_are_found_by_a_part_of_name_or_phone_and_by_their_id,
                    crm::names_are_frozen_at_sending,
                    crm::a_revocation_is_remembered,
                    crm::the_sites_of_an_org_are_those_it_lists_now,
                    writing::whoever_waits_goes_before_reports,
                    writing::closing_keeps_what_was_queued_and_refuses_what_comes_later,
                    search::words_are_found_whatever_their_case_accents_and_script,
                    search::a_customer_finds_what_is_public_in_the_own_thread_and_nothing_else,
                    search::of_a_handoff_a_customer_finds_what_was_said_and_the_team_all,
                    search::an_org_finds_nothing_of_another,
                    search::pages_of_hits_have_no_gap_whatever_is_written_meanwhile,
                    search::the_best_come_first_of_the_newest_five_thousand,
                    search::only_what_was_said_is_found_and_once,
                    texts::each_side_is_texted_what_the_other_writes,
                    texts::what_the_team_writes_is_copied_to_the_other_phones_if_the_org_wants_it,
                    texts::a_long_text_goes_in_parts_and_in_order,
                    texts::reports_in_any_order_end_the_same,
                    texts::a_failure_is_shown_and_ends_with_the_next_that_gets_through,
                    texts::what_may_heal_is_tried_again_twice_and_no_more,
                    texts::an_unknown_outcome_is_never_sent_again_by_itself,
                    texts::twilios_id_belongs_to_one_attempt,
                    texts::what_waits_its_turn_is_postponed_and_keeps_its_place,
                    texts::a_customers_text_lands_in_the_customers_thread_once,
                    texts::a_number_that_nobody_knows_gets_a_thread_of_its_own,
                    texts::a_business_phone_reaches_the_thread_that_its_tag_names,
                    texts::without_a_tag_only_a_single_thread_can_be_meant,
                    texts::a_shared_phone_and_what_is_no_phone_are_left_to_the_team,
                    texts::stop_ends_texts_and_start_begins_them_again,
                    texts::a_carrier_that_says_stop_is_believed,
                    texts::loops_are_impossible,
                    texts::a_number_is_one_orgs,
                    texts::a_picture_alone_is_a_message,
                    texts::what_an_mms_brought_goes_along_with_its_texts_in_its_order,
                    texts::a_business_phones_mms_goes_to_the_customer_and_to_the_other_phones,
                    texts::what_an_mms_brought_goes_along_with_its_texts_though_its_thread_was_attached_meanwhile,
                    texts::a_text_whose_photos_are_at_fault_goes_again_without_them,
                    texts::only_the_last_part_of_a_long_text_waits,
                    texts::couriers_share_the_work,
                    photos::a_photo_is_sent_once_and_by_whoever_uploaded_it,
                    photos::what_nobody_sends_is_removed_and_what_was_sent_is_for_ever,
                    photos::photos_go_along_with_the_last_part_of_each_text,
                    photos::what_an_mms_brought_follows_its_message_to_another_thread,
                    photos::a_part_of_an_mms_is_appended_once_and_its_photo_stands_with_its_message,
                    handoffs::a_handoff_lands_in_the_thread_of_that_contact_or_phone,
                    handoffs::a_handoff_by_a_phone_that_is_nobodys_or_several_peoples_makes_a_contact,
                    handoffs::a_handoff_is_kept_once_per_id_however_many_send_it_at_once,
                    handoffs::a_long_transcript_is_several_records_that_count_once,
                    handoffs::the_ai_answers_until_a_person_does_and_only_what_it_has_seen,
                    handoffs::a_reply_by_a_person_who_has_not_seen_the_handoff_is_stale,
                    handoffs::a_marker_is_the_customers_only_if_the_crm_says_so,
                    handoffs::copies_of_a_summary_go_to_every_business_phone,
                    by_hand::an_attached_thread_is_copied_closed_and_its_number_leads_to_the_contact,
                    by_hand::a_contact_without_a_phone_gets_the_number_that_is_attached,
                    by_hand::only_an_unknown_numbers_thread_is_attached_and_once,
                    by_hand::what_was_answered_before_it_was_attached_does_not_wait,
                    by_hand::what_waits_in_both_threads_waits_since_the_first,
                    by_hand::an_unrouted_text_is_routed_by_hand_once,
                    by_hand::a_customers_unrouted_text_is_the_customers_when_it_is_routed,
                    by_hand::an_ai_that_answered_is_out_when_a_routed_text_is_a_persons,
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
