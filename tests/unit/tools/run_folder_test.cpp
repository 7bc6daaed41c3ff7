#include "tools/cli/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/tools/test_folder.h"
#include "tools/cli/files.h"

namespace sluice {
namespace {

using testing::mode_of;
using testing::test_folder;

run_id id(std::uint64_t unix_ms) {
  return run_id::make(unix_ms, 1, unix_ms);
}

TEST(run_folder, folders_are_for_the_owner_alone_whatever_the_umask) {
  const test_folder state;
  const mode_t before = ::umask(0);
  const auto folder = run_folder::open(state.file("new/state"), "orders", id(5));
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  ASSERT_TRUE((*folder)->write("job.json", "{}").has_value());
  ::umask(before);
  EXPECT_EQ((*folder)->path(), state.file("new/state/runs/orders/") + id(5).text());
  EXPECT_EQ(mode_of(state.file("new")), 0700U);
  EXPECT_EQ(mode_of((*folder)->path()), 0700U);
  EXPECT_EQ(mode_of((*folder)->file("job.json")), 0600U);
  EXPECT_EQ(mode_of((*folder)->file("lock")), 0600U);
  EXPECT_EQ(test_folder::text_of((*folder)->file("job.json")), "{}");
}

TEST(run_folder, a_living_run_keeps_others_out_of_its_folder) {
  const test_folder state;
  auto first = run_folder::open(state.path(), "orders", id(5));
  ASSERT_TRUE(first.has_value());
  const auto second = run_folder::open(state.path(), "orders", id(5));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, error_kind::busy);
  first->reset();
  EXPECT_TRUE(run_folder::open(state.path(), "orders", id(5)).has_value());
}

TEST(run_folder, a_run_that_is_taken_over_goes_on_beside_the_folder_of_the_process_that_has_it) {
  const test_folder state;
  const auto first = run_folder::open(state.path(), "orders", id(5));
  const auto second = run_folder::open(state.path(), "renamed", id(6));
  const auto third = run_folder::open(state.path(), "orders", id(7));
  ASSERT_TRUE(first.has_value() && second.has_value() && third.has_value());
  ASSERT_TRUE((*first)->write("dirty.jsonl", "published\n").has_value());
  std::filesystem::create_directory((*first)->file("dirty.pending"));
  ASSERT_TRUE((*first)->write("dirty.pending/0.jsonl", "pending\n").has_value());
  EXPECT_FALSE(taken_over_to((*first)->path()));

  ASSERT_TRUE((*second)->take_over_from((*first)->path()).has_value());
  EXPECT_EQ(test_folder::text_of((*second)->file("dirty.jsonl")), "published\n");
  EXPECT_EQ(test_folder::text_of((*second)->file("dirty.pending/0.jsonl")), "pending\n");
  EXPECT_EQ(run_folder::find(state.path(), id(5)), (*second)->path());
  ASSERT_TRUE((*third)->take_over_from(*run_folder::find(state.path(), id(5))).has_value());
  EXPECT_EQ(run_folder::find(state.path(), id(5)), (*third)->path());
  (*third)->remove();
  EXPECT_EQ(run_folder::find(state.path(), id(5)), (*second)->path()) << "what is left of it";
}

TEST(run_folder, a_state_directory_that_is_a_file_is_refused_by_name) {
  const test_folder state;
  state.put("blocked", "x");
  const auto folder = run_folder::open(state.file("blocked"), "orders", id(5));
  ASSERT_FALSE(folder.has_value());
  EXPECT_THAT(folder.error().message, ::testing::HasSubstr(state.file("blocked")));
}

TEST(run_folder, a_run_that_was_begun_and_is_dead_is_found_by_its_instance_until_another_takes_it_up) {
  const test_folder state;
  auto living = run_folder::open(state.path(), "orders", id(5));
  ASSERT_TRUE(living.has_value());
  ASSERT_TRUE((*living)->mark_begun("0123").has_value());
  const auto later = run_folder::open(state.path(), "orders", id(6));
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ((*later)->begun_by_others("0123"), std::nullopt) << "its process lives";
  const std::string folder = (*living)->path();
  living->reset();
  EXPECT_EQ((*later)->begun_by_others("0123"), folder);
  EXPECT_EQ((*later)->begun_by_others("4567"), std::nullopt) << "another instance";
  ASSERT_TRUE((*later)->mark_begun("0123").has_value());
  (*later)->clear_begun_of_others("0123");
  EXPECT_EQ((*later)->begun_by_others("0123"), std::nullopt);
  EXPECT_EQ(test_folder::text_of((*later)->file("begun")), "0123");
  (*later)->clear_begun();
  EXPECT_FALSE(std::filesystem::exists((*later)->file("begun")));
}

TEST(run_folder, a_job_name_cannot_lead_out_of_the_state_directory) {
  const std::pair<std::string, std::string> cases[] = {
      {"../../etc", "_._.._etc"},  {"a/b", "a_b"}, {".", "_"}, {"", "_"}, {"a\nb", "a_b"},
      {"Aufträge 1", "Aufträge 1"}};
  for (const auto& [name, expected] : cases) {
    EXPECT_EQ(job_folder_name(name).find('/'), std::string::npos);
    EXPECT_NE(job_folder_name(name).front(), '.');
    if (name != "../../etc") {
      EXPECT_EQ(job_folder_name(name), expected);
    }
  }
  std::string umlauts;
  for (int i = 0; i < 80; ++i) {
    umlauts += "ä";
  }
  EXPECT_EQ(job_folder_name("x" + umlauts).size(), 99U) << "cut between characters";
}

TEST(run_folder, a_run_is_found_under_whatever_name_its_job_had) {
  const test_folder state;
  EXPECT_FALSE(run_folder::find(state.path(), id(5)));
  {
    const auto older = run_folder::open(state.path(), "old name", id(5));
    ASSERT_TRUE(older && (*older)->mark_unfinished("aaaa", "sluice"));
  }
  EXPECT_EQ(run_folder::find(state.path(), id(5)), state.file("runs/old name/") + id(5).text());
  const auto again = run_folder::open_earlier(state.path(), "new name", id(5));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->path(), state.file("runs/old name/") + id(5).text());
  const auto lost = run_folder::open_earlier(state.path(), "new name", id(6));
  ASSERT_TRUE(lost) << lost.error().message;
  EXPECT_EQ((*lost)->path(), state.file("runs/new name/") + id(6).text()) << "one that is gone is made";
  run_folder::forget(state.path(), id(5));
  run_folder::forget(state.path(), id(7));
  EXPECT_FALSE(std::filesystem::exists((*again)->file("unfinished")));
}

TEST(run_folder, marks_of_earlier_runs_of_the_same_instance_go_and_others_stay) {
  const test_folder state;
  const auto one = run_folder::open(state.path(), "orders", id(1));
  const auto two = run_folder::open(state.path(), "orders", id(2));
  const auto now = run_folder::open(state.path(), "orders", id(3));
  ASSERT_TRUE((*one)->mark_unfinished("aaaa", "sluice").has_value());
  ASSERT_TRUE((*two)->mark_unfinished("bbbb", "sluice").has_value());
  ASSERT_TRUE((*now)->mark_unfinished("aaaa", "sluice").has_value());
  (*now)->clear_unfinished_of_others("aaaa");
  EXPECT_FALSE(std::filesystem::exists((*one)->file("unfinished")));
  EXPECT_TRUE(std::filesystem::exists((*two)->file("unfinished")));
  EXPECT_TRUE(std::filesystem::exists((*now)->file("unfinished")));
  (*now)->clear_unfinished();
  EXPECT_FALSE(std::filesystem::exists((*now)->file("unfinished")));
}

TEST(run_folder, the_last_run_of_the_same_instance_that_was_not_seen_to_end_tells_where_its_marks_stand) {
  const test_folder state;
  const auto one = run_folder::open(state.path(), "orders", id(1));
  const auto two = run_folder::open(state.path(), "orders", id(2));
  const auto other = run_folder::open(state.path(), "orders", id(3));
  const auto now = run_folder::open(state.path(), "orders", id(4));
  EXPECT_FALSE((*now)->last_unfinished_of_others("aaaa"));
  ASSERT_TRUE((*one)->mark_unfinished("aaaa", "sluice").has_value());
  ASSERT_TRUE((*two)->mark_unfinished("aaaa", "ops.sluice").has_value());
  ASSERT_TRUE((*other)->mark_unfinished("bbbb", "sluice").has_value());
  const auto found = (*now)->last_unfinished_of_others("aaaa");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->folder, (*two)->path());
  EXPECT_EQ(found->marks, "ops.sluice");
  std::filesystem::remove((*two)->file("marks"));  // an older program wrote none
  EXPECT_EQ((*now)->last_unfinished_of_others("aaaa")->marks, "");
  (*two)->clear_unfinished();
  EXPECT_EQ((*now)->last_unfinished_of_others("aaaa")->marks, "sluice");
}

TEST(run_folder, a_run_that_was_not_seen_to_end_is_left_with_the_rows_that_it_has_committed) {
  const test_folder state;
  const auto now = run_folder::open(state.path(), "orders", id(9));
  const auto left = [&now] { return (*now)->left_by_others("aaaa"); };
  const auto make = [&state](std::uint64_t at, const char* instance, std::uint64_t rows) {
    auto one = run_folder::open(state.path(), "orders", id(at));
    EXPECT_TRUE((*one)->mark_unfinished(instance, "sluice").has_value());
    if (rows != 0) {
      EXPECT_TRUE((*one)->keep_committed({rows, 5, false}).has_value());
    }
    return std::move(*one);
  };
  make(1, "bbbb", 100);
  make(2, "aaaa", 0);
  EXPECT_FALSE(left()) << "one is another instance's, the other has committed nothing";
  make(3, "aaaa", 200);
  ASSERT_TRUE(left());
  EXPECT_EQ(left()->run, id(3));
  EXPECT_EQ(left()->rows, 205U);
  const auto alive = make(4, "aaaa", 300);
  EXPECT_EQ(left()->run, id(3)) << "what still works has not been left";
  const auto committed = committed_in(alive->path());
  EXPECT_EQ(committed.rows, 300U);
  EXPECT_EQ(committed.repeated, 5U);
  {
    const auto without_marks = run_folder::open(state.path(), "orders", id(5));
    ASSERT_TRUE((*without_marks)->mark_begun("aaaa") && (*without_marks)->keep_committed({7, 0, false}));
  }
  EXPECT_EQ(left()->rows, 7U);
  (*now)->clear_unfinished_of_others("aaaa");
  (*now)->clear_begun_of_others("aaaa");
  EXPECT_FALSE(left());
  EXPECT_EQ(committed_in(state.file("nowhere")).rows, 0U);
}

TEST(files, a_file_is_replaced_as_a_whole_and_a_failure_leaves_the_old_one) {
  const test_folder folder;
  ASSERT_TRUE(write_file_whole(folder.file("a"), "one", 0644).has_value());
  ASSERT_TRUE(write_file_whole(folder.file("a"), "two", 0644).has_value());
  EXPECT_EQ(folder.get("a"), "two");
  const auto refused = write_file_whole(folder.file("no/such/a"), "x", 0644);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(folder.file("no/such/a")));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1U) << "no temporary is left";
}

TEST(files, a_full_disk_is_no_room) {
  EXPECT_EQ(kind_of_errno(ENOSPC), error_kind::no_room);
  EXPECT_EQ(kind_of_errno(EDQUOT), error_kind::no_room);
  EXPECT_EQ(kind_of_errno(EACCES), error_kind::denied);
}

}  // namespace
}  // namespace sluice
