#include "tools/cli/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/tools/test_folder.h"
#include "tools/cli/run_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

run_id id(std::uint64_t unix_ms) {
  return run_id::make(unix_ms, 1, unix_ms);
}

struct run_record_test : ::testing::Test {
  testing::test_folder state;

  void add(const run_id& run, const std::string& state_word, const std::string& job = "orders",
           const char* mark = nullptr) const {
    const std::string folder = "runs/" + job + "/" + run.text();
    state.put(folder + "/lock", "1 on h\n");
    if (!state_word.empty()) {
      state.put(folder + "/summary.json", R"({"job":")" + job + R"(","state":")" + state_word +
                                              R"(","read":10,"written":9,"dirty":1,"seconds":2.5})");
    }
    if (mark != nullptr) {
      state.put(folder + "/" + mark, "i");
    }
  }
  [[nodiscard]] std::vector<run_record> all(const run_filter& filter = {}) const {
    auto runs = runs_in_state(state.path(), filter);
    EXPECT_TRUE(runs.has_value());
    return runs ? *runs : std::vector<run_record>();
  }
};

TEST_F(run_record_test, a_state_comes_from_lock_summary_and_marks) {
  struct one_case {
    const char* summary;
    const char* mark;
    recorded_state state;
    bool resumable;
    bool anew;
  };
  const one_case cases[] = {
      {"succeeded", nullptr, recorded_state::succeeded, false, false},
      {"succeeded_with_dirty", "unfinished", recorded_state::succeeded_with_dirty, false, false},
      {"failed", "unfinished", recorded_state::failed, true, false},
      {"failed", nullptr, recorded_state::failed, false, false},
      {"stopped", "unfinished", recorded_state::stopped, true, false},
      {"", "unfinished", recorded_state::killed, true, false},
      {"", "begun", recorded_state::killed, false, true},
      {"", nullptr, recorded_state::killed, false, false},
  };
  std::uint64_t at = 1000;
  for (const one_case& c : cases) {
    add(id(at), c.summary, "orders", c.mark);
    const auto found = find_run(state.path(), id(at).text(), run_of_job::telling);
    ASSERT_TRUE(found.has_value());
    const run_record* const one = &found->run;
    EXPECT_EQ(one->state, c.state) << c.summary;
    EXPECT_EQ(one->resumable, c.resumable) << c.summary;
    EXPECT_EQ(one->began_anew, c.anew) << c.summary;
    EXPECT_EQ(one->begun_unix_ms, at);
    at += 1000;
  }
}

TEST_F(run_record_test, a_run_is_running_as_long_as_its_process_has_the_lock_and_killed_behind_it) {
  const auto first = run_folder::open(state.path(), "orders", id(5));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(all().front().state, recorded_state::running);
  EXPECT_THAT(all().front().process, HasSubstr(std::to_string(::getpid()) + " on "));
  EXPECT_FALSE(run_is_alive(state.file("runs/orders/no such run")));
  ASSERT_TRUE((*first)->write("summary.json", R"({"state":"failed","read":7})").has_value());
  ASSERT_TRUE((*first)->mark_unfinished("i", "sluice").has_value());
  EXPECT_FALSE(all().front().resumable) << "it is at work";
}

TEST_F(run_record_test, a_summary_of_an_earlier_process_is_not_the_end_of_a_run_that_was_killed_later) {
  {
    const auto first = run_folder::open(state.path(), "orders", id(5));
    ASSERT_TRUE((*first)->write("summary.json", R"({"state":"failed","error":{"message":"old"},"read":7})"));
    ASSERT_TRUE((*first)->mark_unfinished("i", "sluice").has_value());
  }
  EXPECT_EQ(all().front().state, recorded_state::failed);
  EXPECT_EQ(all().front().error, "old");
  { const auto again = run_folder::open_earlier(state.path(), "orders", id(5)); }
  const run_record one = all().front();
  EXPECT_EQ(one.state, recorded_state::killed);
  EXPECT_TRUE(one.resumable && one.summary_is_earlier);
  EXPECT_EQ(one.read, 7U);
  EXPECT_EQ(one.error, "");
}

TEST_F(run_record_test, runs_are_filtered_by_job_state_and_time_and_the_newest_is_first) {
  add(id(1000), "succeeded", "orders");
  add(id(2000), "failed", "orders", "unfinished");
  add(id(3000), "succeeded_with_dirty", "customers");
  state.put("runs/orders/notes/summary.json", "{}");
  EXPECT_EQ(all().size(), 3U);
  EXPECT_EQ(all().front().run, id(3000));
  run_filter filter;
  filter.job = "ord*";
  EXPECT_EQ(all(filter).size(), 2U);
  filter.since_unix_ms = 1500;
  EXPECT_EQ(all(filter).size(), 1U);
  filter = {};
  filter.states = {"done"};
  EXPECT_EQ(all(filter).size(), 2U);
  filter.states = {"resumable", "succeeded_with_dirty"};
  EXPECT_EQ(all(filter).size(), 2U);
  EXPECT_TRUE(runs_in_state(state.file("nowhere"))->empty());
}

TEST_F(run_record_test, a_pattern_has_no_brackets_because_names_may) {
  add(id(1000), "failed", "a[b]");
  add(id(2000), "failed", "ab");
  run_filter filter;
  filter.job = "a[b]";
  ASSERT_EQ(all(filter).size(), 1U);
  EXPECT_EQ(all(filter).front().job, "a[b]");
  filter.job = "a*";
  EXPECT_EQ(all(filter).size(), 2U);
}

TEST_F(run_record_test, a_run_is_named_by_its_id_a_part_of_it_or_its_job) {
  add(id(1000), "succeeded");
  add(id(2000), "failed");
  const std::string whole = id(1000).text();
  const auto found = [this](const std::string& named, run_of_job which = run_of_job::telling) {
    const auto one = find_run(state.path(), named, which);
    EXPECT_TRUE(one.has_value()) << named;
    return one ? one->run.run : run_id();
  };
  EXPECT_EQ(found(whole), id(1000));
  EXPECT_EQ(found(whole.substr(20)), id(1000)) << "its end";
  EXPECT_EQ(found("orders"), id(2000)) << "the newest of the job";
  add(id(1500), "failed", "orders", "unfinished");
  EXPECT_EQ(found("orders", run_of_job::resumable), id(1500)) << "the one that can be continued";
  EXPECT_EQ(found("orders"), id(2000));
  const std::string end = whole.substr(whole.size() - 2);
  add(id(500), "failed", end);
  EXPECT_EQ(found(end), id(500)) << "a job's name comes before a part of an id";
  const auto both = find_run(state.path(), whole.substr(0, 6), run_of_job::telling);
  ASSERT_FALSE(both.has_value());
  EXPECT_THAT(both.error().message, HasSubstr("part of 4 ids"));
  const auto none = find_run(state.path(), "nobody", run_of_job::telling);
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("sluice runs list"));
}

TEST_F(run_record_test, a_job_s_name_means_the_run_that_tells_and_not_a_start_that_was_refused) {
  const auto refuse_start = [this](std::uint64_t at, const char* kind) {
    state.put("runs/orders/" + id(at).text() + "/lock", "1 on h\n");
    state.put(
        "runs/orders/" + id(at).text() + "/summary.json",
        std::string(R"({"job":"orders","state":"failed","phases":[{"name":"open"},{"name":"finish"}],)") +
            R"("error":{"kind":")" + kind + R"(","message":"why not"}})");
  };
  const auto found = [this](run_of_job which) {
    const auto one = find_run(state.path(), "orders", which);
    EXPECT_TRUE(one.has_value());
    return one ? std::pair(one->run.run, one->refused_start ? one->refused_start->error : "none")
               : std::pair(run_id(), std::string());
  };
  refuse_start(1000, "conflict");
  EXPECT_EQ(found(run_of_job::telling), std::pair(id(1000), std::string("none"))) << "there is no other";
  add(id(2000), "", "orders", "unfinished");
  EXPECT_EQ(found(run_of_job::telling), std::pair(id(2000), std::string("none"))) << "it came before";
  for (const char* kind : {"conflict", "not_connected"}) {
    refuse_start(3000, kind);
    EXPECT_EQ(found(run_of_job::telling), std::pair(id(2000), std::string("why not"))) << kind;
    EXPECT_EQ(found(run_of_job::resumable).first, id(2000));
    EXPECT_EQ(found(run_of_job::newest).first, id(3000));
  }
  // Behind a run that is done, what another run is not to blame for is news of its own.
  add(id(2500), "succeeded");
  EXPECT_EQ(found(run_of_job::telling), std::pair(id(3000), std::string("none")));
  refuse_start(3000, "conflict");
  EXPECT_EQ(found(run_of_job::telling), std::pair(id(2500), std::string("why not")));
}

TEST_F(run_record_test, one_that_was_taken_over_is_found_where_it_goes_on_by_its_id_and_parts_of_it) {
  const std::string first = id(1000).text();
  const std::string second = id(900'000'000'000).text();
  add(id(1000), "failed", "orders", "unfinished");
  add(id(900'000'000'000), "succeeded");
  state.put("runs/orders/" + first + "/taken_over", "orders/" + second);
  state.put("runs/orders/" + second + "/command.json", R"({"version":1,"job":"orders","run":")" + first +
                                                           R"(","words":["run"],"hidden":[],"folder":"/"})");
  for (const std::string& named :
       {first, first.substr(0, 13), first.substr(first.size() - 12), second, second.substr(0, 13)}) {
    const auto one = find_run(state.path(), named, run_of_job::telling);
    ASSERT_TRUE(one.has_value()) << named << ": " << one.error().message;
    EXPECT_EQ(one->run.folder, state.file("runs/orders/" + second)) << named;
    EXPECT_EQ(one->run.run, id(1000)) << named;
    EXPECT_EQ(one->run.begun_unix_ms, 1000U);
  }
  std::filesystem::remove_all(state.file("runs/orders/" + first));
  EXPECT_TRUE(find_run(state.path(), first, run_of_job::telling).has_value()) << "the list has this id";
}

}  // namespace
}  // namespace sluice
