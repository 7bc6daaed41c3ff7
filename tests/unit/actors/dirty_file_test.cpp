#include "actors/pipeline/dirty_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>

#include "tests/support/synced.h"

namespace sluice {
namespace {

using nlohmann::json;

/// A file may not grow over `bytes` while this lives: the disk that fills up in the middle of a write.
class full_disk {
 public:
  explicit full_disk(std::uint64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

class dirty_file_test : public ::testing::Test {
 protected:
  dirty_file_test() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice dirty ü XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~dirty_file_test() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] result<std::unique_ptr<dirty_file>> try_open(bool publish_at_once = false) const {
    return dirty_file::make(
        {.folder = folder_.string(),
         .run = *run_id::parse("0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"),
         .job = "orders",
         .publish_at_once = publish_at_once,
         .now = [] { return std::chrono::system_clock::time_point(std::chrono::milliseconds(86'400'005)); }});
  }
  [[nodiscard]] std::unique_ptr<dirty_file> open(bool publish_at_once = false) const {
    auto made = try_open(publish_at_once);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }

  static dirty_record record(std::uint64_t position, std::string value = "x") {
    dirty_record r;
    r.position = position;
    r.column = "amount";
    r.value = std::move(value);
    r.code = "not_a_number";
    r.record = {{"amount", "int64", r.value}};
    return r;
  }
  static std::vector<dirty_record> records(std::initializer_list<std::uint64_t> positions) {
    std::vector<dirty_record> made;
    for (const std::uint64_t position : positions) {
      made.push_back(record(position));
    }
    return made;
  }

  [[nodiscard]] std::filesystem::path published_path() const { return folder_ / "dirty.jsonl"; }
  [[nodiscard]] std::filesystem::path pending_path(std::uint32_t split) const {
    return folder_ / "dirty.pending" / (std::to_string(split) + ".jsonl");
  }
  static std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  /// (split, position) of each published line; each must parse whole.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> published() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    std::ifstream in(published_path());
    for (std::string line; std::getline(in, line);) {
      const json parsed = json::parse(line);
      found.emplace_back(parsed["split"], parsed["position"]);
    }
    return found;
  }
  using places = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

  static constexpr epoch_number first_epoch{1};
  std::filesystem::path folder_;
};

#define ASSERT_DONE(call)                                  \
  do {                                                     \
    const auto done = (call);                              \
    ASSERT_TRUE(done.has_value()) << done.error().message; \
  } while (false)

TEST_F(dirty_file_test, is_there_and_empty_from_the_start) {
  const auto file = open();
  EXPECT_EQ(file->path(), published_path().string());
  EXPECT_TRUE(std::filesystem::exists(published_path()));
  EXPECT_EQ(content(published_path()), "");
  struct stat known {};
  ASSERT_EQ(::stat(published_path().c_str(), &known), 0);
  EXPECT_EQ(known.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((folder_ / "dirty.pending").c_str(), &known), 0);
  EXPECT_EQ(known.st_mode & 0777, 0700U);
}

TEST_F(dirty_file_test, publishes_a_record_only_with_the_mark_that_covers_it) {
  const auto file = open();
  ASSERT_DONE(file->append({0}, first_epoch, records({3, 9})));
  ASSERT_DONE(file->sync({0}));
  EXPECT_EQ(published(), places{});
  ASSERT_DONE(file->promote({0}, 9));
  EXPECT_EQ(published(), (places{{0, 3}}));
  ASSERT_DONE(file->promote({0}, 10));
  EXPECT_EQ(published(), (places{{0, 3}, {0, 9}}));
  EXPECT_EQ(file->published(), 2U);
}

TEST_F(dirty_file_test, publishes_at_once_where_there_are_no_marks) {
  const auto file = open(true);
  ASSERT_DONE(file->append({0}, first_epoch, records({3, 9})));
  ASSERT_DONE(file->append({1}, first_epoch, records({0})));
  EXPECT_EQ(published(), (places{{0, 3}, {0, 9}, {1, 0}}));
  ASSERT_DONE(file->sync({0}));
  ASSERT_DONE(file->promote({0}, 5));
  ASSERT_DONE(file->drop({0}, {2}, 0));
  ASSERT_DONE(file->append({0}, {2}, records({3, 9, 11})));
  EXPECT_EQ(published(), (places{{0, 3}, {0, 9}, {1, 0}, {0, 11}}));
  ASSERT_DONE(file->seal());
}

TEST_F(dirty_file_test, shows_the_time_with_its_offset) {
  const auto file = open(true);
  ASSERT_DONE(file->append({0}, first_epoch, records({0})));
  EXPECT_EQ(json::parse(content(published_path()))["time"], "1970-01-02T00:00:00.005+00:00");
}

TEST_F(dirty_file_test, drops_what_is_at_or_above_the_mark_and_publishes_what_is_below) {
  const auto file = open();
  ASSERT_DONE(file->append({7}, first_epoch, records({1, 4, 5, 6})));
  ASSERT_DONE(file->drop({7}, {2}, 5));
  EXPECT_EQ(published(), (places{{7, 1}, {7, 4}}));
  ASSERT_DONE(file->append({7}, {2}, records({5, 6, 8})));
  ASSERT_DONE(file->promote({7}, 100));
  EXPECT_EQ(published(), (places{{7, 1}, {7, 4}, {7, 5}, {7, 6}, {7, 8}}));
}

TEST_F(dirty_file_test, takes_nothing_from_an_epoch_that_was_overtaken) {
  const auto file = open();
  ASSERT_DONE(file->drop({0}, {5}, 0));
  ASSERT_DONE(file->append({0}, {4}, records({1, 2})));
  ASSERT_DONE(file->append({0}, {5}, records({1})));
  ASSERT_DONE(file->promote({0}, 100));
  EXPECT_EQ(published(), (places{{0, 1}}));
}

TEST_F(dirty_file_test, refuses_positions_that_do_not_rise) {
  const auto file = open();
  ASSERT_DONE(file->append({0}, first_epoch, records({4})));
  for (const auto& wrong : {records({4}), records({3}), records({5, 5})}) {
    const auto done = file->append({0}, first_epoch, wrong);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, error_kind::internal);
  }
  ASSERT_DONE(file->append({1}, first_epoch, records({4})));  // another split has its own order
}

TEST_F(dirty_file_test, has_nothing_to_do_for_a_split_without_dirty_records) {
  const auto file = open();
  ASSERT_DONE(file->append({0}, first_epoch, {}));
  ASSERT_DONE(file->sync({0}));
  ASSERT_DONE(file->promote({0}, 100));
  ASSERT_DONE(file->drop({1}, first_epoch, 0));
  ASSERT_DONE(file->seal());
  EXPECT_EQ(content(published_path()), "");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "dirty.pending"));
}

TEST_F(dirty_file_test, does_not_seal_while_a_record_is_above_its_mark) {
  const auto file = open();
  ASSERT_DONE(file->append({2}, first_epoch, records({4})));
  const auto sealed = file->seal();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().kind, error_kind::internal);
  EXPECT_NE(sealed.error().message.find("Split 2"), std::string::npos) << sealed.error().message;
  ASSERT_DONE(file->promote({2}, 5));
  ASSERT_DONE(file->seal());
}

TEST_F(dirty_file_test, goes_on_where_a_dead_process_stopped) {
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2})));
    ASSERT_DONE(file->promote({0}, 2));
    ASSERT_DONE(file->append({0}, first_epoch, records({7})));
    ASSERT_DONE(file->append({1}, first_epoch, records({0, 1})));
  }
  const auto file = open();
  EXPECT_EQ(file->published(), 1U);
  EXPECT_EQ(file->missing({0}, 1), 0U);
  ASSERT_DONE(
      file->drop({0}, {2}, 5));  // its mark covered position 2, but the process died before it could say so
  ASSERT_DONE(file->drop({1}, {2}, 0));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}}));
  EXPECT_EQ(file->missing({0}, 2), 0U);
}

TEST_F(dirty_file_test, knows_the_codes_of_what_is_published_by_whatever_process) {
  using codes = std::map<std::string, std::uint64_t>;
  const auto with_code = [](std::uint64_t position, const char* code) {
    dirty_record r = record(position);
    r.code = code;
    return std::vector<dirty_record>{r};
  };
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, with_code(1, "a")));
    ASSERT_DONE(file->append({0}, first_epoch, with_code(2, "b")));
    EXPECT_EQ(file->published_by_code(), codes{});
    ASSERT_DONE(file->promote({0}, 2));
    EXPECT_EQ(file->published_by_code(), (codes{{"a", 1}}));
    ASSERT_DONE(file->append({0}, first_epoch, with_code(7, "c")));
    ASSERT_DONE(file->append({1}, first_epoch, with_code(0, "d")));
  }
  std::ofstream(published_path(), std::ios::binary | std::ios::app)
      << R"({"version":1,"split":5,"position":0,"run":"of a program that wrote the code behind","code":"z"})"
      << "\n";
  const auto file = open();
  EXPECT_EQ(file->published_by_code(), (codes{{"a", 1}}));
  EXPECT_EQ(file->published(), 2U);
  ASSERT_DONE(file->drop({0}, {2}, 5));  // the mark covers b, which the dead process had not published
  ASSERT_DONE(file->drop({1}, {2}, 0));
  EXPECT_EQ(file->published_by_code(), (codes{{"a", 1}, {"b", 1}}));
  ASSERT_DONE(file->append({0}, {2}, with_code(9, "c")));
  ASSERT_DONE(file->append({1}, {2}, with_code(0, "a")));
  ASSERT_DONE(file->promote({0}, 10));
  ASSERT_DONE(file->promote({1}, 1));
  ASSERT_DONE(file->seal());
  EXPECT_EQ(file->published_by_code(), (codes{{"a", 2}, {"b", 1}, {"c", 1}}));
}

TEST_F(dirty_file_test, stores_no_record_twice_when_it_is_read_again) {
  {
    const auto file = open(true);
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2})));
  }
  const auto file = open(true);
  ASSERT_DONE(file->append({0}, first_epoch, records({1, 2, 3})));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}, {0, 3}}));
}

TEST_F(dirty_file_test, stores_no_record_twice_when_the_process_died_between_publishing_and_forgetting) {
  std::string pending;
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2, 6})));
    pending = content(pending_path(0));
    ASSERT_DONE(file->promote({0}, 5));
  }
  std::ofstream(pending_path(0), std::ios::binary) << pending;  // as before the promotion
  const auto file = open();
  ASSERT_DONE(file->drop({0}, {2}, 7));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}, {0, 6}}));
}

// SIGKILL or a power cut can leave any prefix of what was written, or zeros where a block was lost.
TEST_F(dirty_file_test, repairs_a_tail_torn_at_any_byte) {
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2})));
    ASSERT_DONE(file->promote({0}, 3));
  }
  const std::string whole = content(published_path());
  const std::size_t first_line = whole.find('\n') + 1;
  for (std::size_t cut = first_line; cut < whole.size(); ++cut) {
    for (const bool zeros : {false, true}) {
      std::string torn = whole.substr(0, cut);
      if (zeros) {
        torn.resize(whole.size() - 1, '\0');
        torn += '\n';
      }
      std::ofstream(published_path(), std::ios::binary | std::ios::trunc) << torn;
      const auto file = open();
      ASSERT_EQ(file->published(), zeros && cut + 1 == whole.size() ? 2U : 1U) << cut << zeros;
      ASSERT_DONE(file->append({0}, first_epoch, records({2, 3})));
      ASSERT_DONE(file->promote({0}, 9));
      ASSERT_EQ(published(), (places{{0, 1}, {0, 2}, {0, 3}}));
    }
  }
}

TEST_F(dirty_file_test, repairs_a_pending_file_torn_at_any_byte) {
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2})));
  }
  const std::string whole = content(pending_path(0));
  const std::size_t first_line = whole.find('\n') + 1;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    std::ofstream(published_path(), std::ios::binary | std::ios::trunc) << "";
    std::ofstream(pending_path(0), std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    const auto file = open();
    ASSERT_DONE(file->drop({0}, {2}, 100));
    ASSERT_EQ(published(), cut < first_line ? places{} : (places{{0, 1}})) << cut;
  }
}

TEST_F(dirty_file_test, refuses_a_file_that_somebody_else_changed) {
  {
    const auto file = open(true);
    ASSERT_DONE(file->append({0}, first_epoch, records({1, 2, 3})));
  }
  std::string changed = content(published_path());
  changed.insert(changed.find('\n') + 1, "my notes\n");
  std::ofstream(published_path(), std::ios::binary | std::ios::trunc) << changed;
  const auto made = try_open();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, error_kind::source_changed);
  EXPECT_NE(made.error().message.find("Line 2"), std::string::npos) << made.error().message;
  EXPECT_EQ(content(published_path()), changed);
}

TEST_F(dirty_file_test, refuses_a_file_of_a_newer_version_and_leaves_it_alone) {
  const std::string newer = "{\"version\":2,\"split\":0,\"position\":1,\"new\":true}\n";
  std::ofstream(published_path(), std::ios::binary) << newer;
  const auto made = try_open();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, error_kind::source_changed);
  EXPECT_EQ(content(published_path()), newer);
}

TEST_F(dirty_file_test, names_its_path_where_the_folder_is_missing) {
  const auto made = dirty_file::make(
      {.folder = (folder_ / "gone").string(), .run = {}, .job = {}, .publish_at_once = false, .now = {}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("gone/dirty.jsonl"), std::string::npos) << made.error().message;
}

TEST_F(dirty_file_test, knows_how_many_records_another_folder_took_away) {
  const auto file = open();
  EXPECT_EQ(file->missing({4}, 12), 12U);
  ASSERT_DONE(file->drop({4}, {2}, 1000));
  ASSERT_DONE(file->append({4}, {2}, records({1000, 1001})));
  ASSERT_DONE(file->promote({4}, 1002));
  EXPECT_EQ(file->missing({4}, 14), 12U);
}

TEST_F(dirty_file_test, says_no_room_and_goes_on_once_there_is_some) {
  const auto file = open();
  ASSERT_DONE(file->append({0}, first_epoch, records({1})));
  const std::uint64_t before = std::filesystem::file_size(pending_path(0));
  {
    const full_disk disk(before + 50);
    const auto done = file->append({0}, first_epoch, records({2}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, error_kind::no_room);
    EXPECT_NE(done.error().message.find("dirty.pending/0.jsonl"), std::string::npos) << done.error().message;
  }
  EXPECT_EQ(std::filesystem::file_size(pending_path(0)), before);
  ASSERT_DONE(file->append({0}, first_epoch, records({2})));
  ASSERT_DONE(file->promote({0}, 3));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}}));
}

TEST_F(dirty_file_test, loses_and_doubles_nothing_when_the_disk_is_full_while_it_publishes) {
  const auto file = open();
  ASSERT_DONE(file->append({0}, first_epoch, records({1, 2, 3})));
  {
    const full_disk disk(std::filesystem::file_size(pending_path(0)) / 2);
    const auto done = file->promote({0}, 3);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, error_kind::no_room);
    EXPECT_NE(done.error().message.find("dirty.jsonl"), std::string::npos) << done.error().message;
  }
  EXPECT_EQ(published(), places{});
  ASSERT_DONE(file->promote({0}, 3));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}}));
  ASSERT_DONE(file->promote({0}, 4));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}, {0, 3}}));
}

TEST_F(dirty_file_test, copes_with_more_splits_than_it_keeps_files_open) {
  const auto file = open();
  constexpr std::uint32_t splits = 1000;
  for (std::uint32_t split = 0; split < splits; ++split) {
    ASSERT_DONE(file->append({split}, first_epoch, records({split})));
    ASSERT_DONE(file->sync({split}));
    ASSERT_DONE(file->promote({split}, split + 1));
  }
  const auto open_files = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  EXPECT_LT(open_files, 150);
  EXPECT_EQ(published().size(), splits);
  ASSERT_DONE(file->seal());
}

TEST_F(dirty_file_test, keeps_a_long_record_that_spans_its_own_read_chunks) {
  {
    const auto file = open();
    ASSERT_DONE(file->append({0}, first_epoch, std::vector{record(1, std::string(500'000, 'a')), record(2)}));
    ASSERT_DONE(file->promote({0}, 2));
  }
  const auto file = open();
  ASSERT_DONE(file->drop({0}, {2}, 3));
  EXPECT_EQ(published(), (places{{0, 1}, {0, 2}}));
}

// The whole protocol with deaths anywhere: a model says which records must stand in the end, each once.
TEST_F(dirty_file_test, ends_with_each_covered_record_once_whatever_happens_between) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    std::mt19937 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    std::set<std::uint64_t> bad;
    for (std::uint64_t p = 0; p < 400; ++p) {
      if (chance(20)) {
        bad.insert(p);
      }
    }
    auto file = open();
    std::uint64_t marked = 0;
    std::uint64_t epoch = 1;
    ASSERT_DONE(file->drop({0}, {epoch}, marked));
    std::uint64_t at = 0;
    while (marked < 400) {
      const std::uint64_t end = std::min<std::uint64_t>(400, at + 1 + random() % 60);
      std::vector<dirty_record> batch;
      for (auto b = bad.lower_bound(at); b != bad.end() && *b < end; ++b) {
        batch.push_back(record(*b));
      }
      ASSERT_DONE(file->append({0}, {epoch}, batch));
      at = end;
      bool dies = chance(20);
      if (!dies && (chance(40) || at == 400)) {
        ASSERT_DONE(file->sync({0}));
        marked = chance(80) ? at : marked;  // else the commit failed
        dies = chance(30);
        if (!dies && marked == at) {
          ASSERT_DONE(file->promote({0}, marked));
        } else if (!dies) {
          ASSERT_DONE(file->drop({0}, {++epoch}, marked));
          at = marked;
        }
      }
      if (dies) {
        file.reset();
        file = open();
        ASSERT_TRUE(file);
        ASSERT_DONE(file->drop({0}, {++epoch}, marked));
        at = marked;
      }
    }
    ASSERT_DONE(file->seal());
    places expected;
    for (const std::uint64_t p : bad) {
      expected.emplace_back(0, p);
    }
    ASSERT_EQ(published(), expected) << "seed " << seed;
    ASSERT_EQ(file->missing({0}, bad.size()), 0U);
  }
}

/// What is synced while `call` runs.
template <class Call>
std::vector<std::string> synced_by(const Call& call) {
  const std::size_t before = testing::synced().size();
  const result<void> done = call();
  EXPECT_TRUE(done) << done.error().message;
  const std::vector<std::string> all = testing::synced();
  return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
}

TEST_F(dirty_file_test, has_what_a_mark_is_to_cover_on_the_disk_with_its_name) {
  const auto file = open();
  const std::string pending = pending_path(3).string();
  ASSERT_DONE(file->append({3}, first_epoch, records({1})));
  EXPECT_EQ(synced_by([&] { return file->sync({3}); }),
            (std::vector<std::string>{pending, pending_path(3).parent_path().string()}));
  ASSERT_DONE(file->append({3}, first_epoch, records({2})));
  EXPECT_EQ(synced_by([&] { return file->sync({3}); }), std::vector<std::string>{pending});
  const std::vector<std::string> published = synced_by([&] { return file->promote({3}, 3); });
  ASSERT_FALSE(published.empty());
  EXPECT_EQ(published[0], published_path().string()) << "before anything is taken out of the other file";
}

TEST_F(dirty_file_test, has_what_is_published_at_once_on_the_disk_before_the_mark) {
  const auto file = open(true);
  ASSERT_DONE(file->append({3}, first_epoch, records({1})));
  EXPECT_EQ(synced_by([&] { return file->sync({3}); }), std::vector<std::string>{published_path().string()});
}

}  // namespace
}  // namespace sluice
