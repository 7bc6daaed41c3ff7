#include <gmock/gmock.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "plugins/common/files/running_digest.h"
#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;
using ::testing::HasSubstr;

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) {
    text += std::to_string(i) + ",name " + std::to_string(i) + "\n";
  }
  return text;
}

std::string gzip_of(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

/// A file that is planned, read for a while, and changed before the run goes on in another process.
struct interrupted {
  temporary_folder folder;
  nlohmann::json parameter;
  std::uint32_t advice = 1;
  std::vector<split> splits;
  std::vector<frozen_split> frozen;
  outcome first;

  explicit interrupted(const std::string& content, nlohmann::json more = nlohmann::json::object(),
                       std::uint64_t batches = 2) {
    parameter = {{"path", folder.file("a", content)}};
    parameter.update(more);
    plan();
    read_some(batches);
  }

  void plan() {
    reading r{.parameter = parameter, .advice = advice};
    const auto from = r.make_source();
    ASSERT_TRUE((*from)->open({}));
    splits = (*from)->plan_splits(advice, {}).value();
    for (const split& s : splits) {
      frozen.push_back({s.description, std::nullopt, false});
    }
  }

  /// Reads so many batches of the first split.
  void read_some(std::uint64_t batches) {
    reading r{.parameter = parameter, .batches_max = batches};
    r.limits.rows_max = 100;
    const auto from = r.make_source();
    const auto description = (*from)->open({});
    const auto reader = (*from)->make_reader();
    ASSERT_TRUE((*reader)->open(splits[0].description, std::nullopt, {}));
    (void)r.read_split(**reader, description->columns, first);
    ASSERT_FALSE(first.cursors.empty());
    frozen[0].after = first.cursors.back();
  }

  /// What a new process makes of it: the rows that are left, or why it does not go on.
  result<outcome> go_on(std::vector<std::string>* warnings = nullptr) {
    reading r{.parameter = parameter};
    SLUICE_TRY(const auto from, r.make_source());
    SLUICE_TRY(const auto description, from->open({}));
    SLUICE_CHECK(from->take_up(frozen, {}));
    SLUICE_TRY(const auto reader, from->make_reader());
    outcome rest;
    for (const frozen_split& s : frozen) {
      if (!s.done) {
        SLUICE_CHECK(reader->open(s.description, s.after, {}));
        SLUICE_CHECK(r.read_split(*reader, description.columns, rest));
      }
    }
    SLUICE_CHECK(from->check_unchanged({}));
    if (warnings != nullptr) {
      *warnings = r.warnings;
    }
    return rest;
  }

  void write(const std::string& content) {
    folder.file("a", content);
    touch();
  }
  void touch() {
    std::filesystem::last_write_time(
        folder.path("a"), std::filesystem::last_write_time(folder.path("a")) + std::chrono::hours(1));
  }
};

TEST(continued_files, an_identical_file_with_another_time_goes_on_where_it_was) {
  interrupted run(lines(0, 1000));
  run.touch();
  const auto rest = run.go_on();
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(run.first.rows.size() + rest->rows.size(), 1000U);
  EXPECT_EQ(rest->rows.front().values[0], "200");
  EXPECT_EQ(rest->rows.front().line, 201U);
}

TEST(continued_files, what_is_mended_or_added_behind_the_cursor_is_read) {
  interrupted run(lines(0, 1000));
  run.write(lines(0, 300) + "mended,too\n" + lines(300, 1500));
  const auto rest = run.go_on();
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(run.first.rows.size() + rest->rows.size(), 1501U) << "up to the end that the file has now";
}

TEST(continued_files, any_change_before_the_cursor_is_refused_however_far_from_it) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{1500}, std::size_t{2100}}) {
    std::string text = lines(0, 40'000);
    interrupted run(text, nlohmann::json::object(), 300);
    text[at] = text[at] == '9' ? '8' : '9';
    run.write(text);
    const auto rest = run.go_on();
    ASSERT_FALSE(rest) << at;
    EXPECT_EQ(rest.error().kind, error_kind::source_changed);
    EXPECT_THAT(rest.error().message, HasSubstr("content before that differs"));
  }
}

TEST(continued_files, a_file_shorter_than_what_was_read_is_refused) {
  interrupted run(lines(0, 1000));
  run.write(lines(0, 150));
  ASSERT_FALSE(run.go_on());
}

TEST(continued_files, one_that_was_cut_short_goes_on_once_it_is_whole) {
  const std::string text = lines(0, 50'000);
  const std::string packed = gzip_of(text);
  interrupted run(packed.substr(0, packed.size() / 2), {{"compress", "gzip"}}, 1000);
  ASSERT_GT(run.first.rows.size(), 1000U);
  ASSERT_LT(run.first.rows.size(), 50'000U);
  run.write(packed);
  const auto rest = run.go_on();
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(run.first.rows.size() + rest->rows.size(), 50'000U);

  std::string other = text;
  other[10] = 'X';
  run.write(gzip_of(other));
  ASSERT_FALSE(run.go_on());
}

TEST(continued_files, one_that_was_read_to_its_end_must_be_the_same_still) {
  interrupted run(lines(0, 150), nlohmann::json::object(), 10);
  run.frozen[0].done = true;
  run.touch();
  ASSERT_TRUE(run.go_on()) << "only its time is another";
  run.write(lines(0, 160));
  const auto longer = run.go_on();
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, error_kind::source_changed);
  EXPECT_THAT(longer.error().message, HasSubstr("it had been read to its end"));
  run.write("x" + lines(0, 150).substr(1));
  ASSERT_FALSE(run.go_on());
  std::filesystem::remove(run.folder.path("a"));
  run.parameter["successOnNoFile"] = true;
  EXPECT_TRUE(run.go_on()) << "nothing of it is wanted any more";
}

TEST(continued_files, one_in_parts_goes_on_only_where_it_is_the_same_as_a_whole) {
  std::string text = lines(0, 1'200'000);
  ASSERT_GT(text.size(), std::size_t{16} << 20) << "so that it is split";
  interrupted run("1,2\n");
  run.folder.file("a", text);
  run.advice = 2;
  run.frozen.clear();
  run.first = {};
  run.plan();
  run.read_some(2);
  ASSERT_GT(run.splits.size(), 1U);
  run.touch();
  const auto rest = run.go_on();
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(run.first.rows.size() + rest->rows.size(), 1'200'000U);
  text[text.size() - 3] = 'x';
  run.write(text);
  const auto changed = run.go_on();
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("read in parts"));
}

TEST(continued_files, a_change_while_a_continued_run_reads_is_refused_as_ever) {
  interrupted run(lines(0, 1000));
  run.touch();
  reading r{.parameter = run.parameter};
  const auto from = r.make_source();
  ASSERT_TRUE((*from)->open({}) && (*from)->take_up(run.frozen, {}));
  const auto reader = (*from)->make_reader();
  ASSERT_TRUE((*reader)->open(run.splits[0].description, run.frozen[0].after, {}));
  run.touch();
  EXPECT_FALSE((*reader)->open(run.splits[0].description, run.frozen[0].after, {}));
}

TEST(continued_files, one_that_came_after_the_plan_is_named) {
  interrupted run(lines(0, 1000));
  run.parameter["path"] = run.folder.path("*");
  run.folder.file("b", "1,2\n");
  std::vector<std::string> warnings;
  ASSERT_TRUE(run.go_on(&warnings));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr(run.folder.path("b")));
}

TEST(continued_files, marks_of_an_older_program_are_named_as_such) {
  interrupted run(lines(0, 1000));
  run.frozen[0].after =
      cursor{{"byte", {std::int64_t{8}}}, {"line", {std::int64_t{2}}}, {"hash", {std::string("00")}}};
  const auto rest = run.go_on();
  ASSERT_FALSE(rest);
  EXPECT_THAT(rest.error().message, HasSubstr("older version"));
}

TEST(running_digest, goes_on_from_its_blocks_as_if_it_had_seen_all) {
  std::string bytes(5 * running_digest::block_bytes / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 2654435761U >> 13);
  }
  running_digest all;
  all.add(bytes.data(), bytes.size());
  running_digest pieces;
  for (std::size_t at = 0; at < bytes.size(); at += 70'001) {
    pieces.add(bytes.data() + at, std::min<std::size_t>(70'001, bytes.size() - at));
  }
  EXPECT_EQ(pieces.digest(), all.digest());
  running_digest later;
  ASSERT_TRUE(later.restore(all.blocks(), 2 * running_digest::block_bytes));
  later.add(bytes.data() + later.bytes(), bytes.size() - later.bytes());
  EXPECT_EQ(later.digest(), all.digest());
  bytes[7] = static_cast<char>(bytes[7] + 1);
  running_digest other;
  other.add(bytes.data(), bytes.size());
  EXPECT_NE(other.digest(), all.digest()) << "a change in the first block is in the last one's";
  EXPECT_FALSE(later.restore("no digest", 0));
  EXPECT_FALSE(later.restore(all.blocks(), 5));
}

}  // namespace
}  // namespace sluice
