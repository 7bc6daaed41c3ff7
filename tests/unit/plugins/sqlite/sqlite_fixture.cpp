#include "tests/unit/plugins/sqlite/sqlite_fixture.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace sluice::testing {

using namespace std::chrono_literals;

void sqlite_test::sql(const std::string& statements) {
  auto db = sqlite::database::open(file(), sqlite::open_mode::create, 0ms);
  ASSERT_TRUE(db) << db.error().message;
  const auto done = db->run(statements);
  ASSERT_TRUE(done) << done.error().message;
}

std::vector<std::string> sqlite_test::rows(const std::string& query) {
  std::vector<std::string> out;
  auto db = sqlite::database::open(file(), sqlite::open_mode::read_only, 0ms);
  EXPECT_TRUE(db) << db.error().message;
  auto select = db->prepare(query);
  EXPECT_TRUE(select) << select.error().message;
  while (select && select->step() == sqlite::step_answer::row) {
    std::string row;
    for (int i = 0; i < select->columns(); ++i) {
      const bool null = select->storage_at(i) == sqlite::storage::null;
      row += (i == 0 ? "" : "|") + (null ? std::string("<null>") : select->text_at(i));
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::string sqlite_test::parameter(const std::string& more) const {
  // The disk is not what is tested here: without it the many small runs take a tenth of the time.
  const std::string session =
      more.find("\"session\"") == std::string::npos ? R"("session": "PRAGMA synchronous = OFF", )" : "";
  return fmt::format("{{\"jdbcUrl\": {}, {}{}}}", nlohmann::json("jdbc:sqlite:" + file()).dump(), session,
                     more);
}

std::unique_ptr<target> sqlite_test::make_target(const std::string& more, dialect d) {
  const plugin p = sqlite_plugin();
  auto made = p.make_target(options_of(*p.writes, parameter(more), d), context_for_test());
  EXPECT_TRUE(made) << made.error().message;
  return made ? std::move(*made) : nullptr;
}

error sqlite_test::target_refused(const std::string& more, const schema& columns) {
  const plugin p = sqlite_plugin();
  auto made = p.make_target(options_of(*p.writes, parameter(more), dialect::script2), context_for_test());
  if (!made) {
    return made.error();
  }
  auto opened = (*made)->open(columns, {});
  EXPECT_FALSE(opened) << more;
  return opened ? error{} : opened.error();
}

error sqlite_test::source_refused(const std::string& more) {
  const plugin p = sqlite_plugin();
  auto made = p.make_source(options_of(*p.reads, parameter(more), dialect::script2), context_for_test());
  if (!made) {
    return made.error();
  }
  auto opened = (*made)->open({});
  EXPECT_FALSE(opened) << more;
  return opened ? error{} : opened.error();
}

field column_of(const std::string& name, data_type type) {
  return {name, type, true, ""};
}

claim_owner this_owner() {
  const process_identity me = this_process();
  return {me.host, me.pid, me.start, ""};
}

run_row row_for(std::uint8_t number) {
  run_row row;
  row.run = run_id::make(1'700'000'000'000, number, number);
  row.job_key = "0123456789abcdef0123456789abcdef";
  row.instance = "fedcba9876543210fedcba9876543210";
  row.job_name = "test job";
  row.stage = "claimed";
  row.owner = this_owner();
  row.output = "t";
  row.key_parts = {{"reader", {std::string("0123456789abcdef")}}};
  return row;
}

run_query query_for(const run_row& row) {
  return {row.job_key, row.job_name, row.output};
}

mark mark_of(const mark& opened, std::uint64_t transaction, std::uint64_t written, bool done) {
  mark m = opened;
  m.transaction = transaction;
  m.sequence = transaction;
  m.position = written;
  m.after = cursor{{"rowid", {static_cast<std::int64_t>(written)}}};
  m.counts.read = written;
  m.counts.written = written;
  m.done = done;
  return m;
}

sqlite_test::begun_run sqlite_test::begin(const std::string& more, const schema& columns,
                                          std::uint32_t splits, std::uint8_t run_number) {
  begun_run run;
  run.row = row_for(run_number);
  run.object = make_target(more);
  const auto expect = [](const auto& r) { EXPECT_TRUE(r) << r.error().message; };
  expect(run.object->open(columns, {}));
  progress_store* store = run.object->progress();
  expect(store->make_tables());
  expect(store->claim_new(run.row));
  std::vector<progress_row> frozen(splits);
  for (std::uint32_t i = 0; i < splits; ++i) {
    frozen[i].at.split = {i};
    frozen[i].label = fmt::format("part {}", i);
    frozen[i].description = {{"part", {std::int64_t{i}}}};
  }
  expect(store->freeze(run.row.run, frozen));
  expect(run.object->prepare(run.row.run, {}));
  for (std::size_t i = 0; i < run.object->steps_before().size(); ++i) {
    expect(run.object->run_step_before(i, {}));
  }
  auto described = run.object->open(columns, {});
  expect(described);
  expect(store->set_stage(run.row.run, "loading"));
  run.description = std::move(described).value_or(target_description{});
  auto out = run.object->make_writer(run.description.columns);
  expect(out);
  run.out = out ? std::move(*out) : nullptr;
  return run;
}

}  // namespace sluice::testing
