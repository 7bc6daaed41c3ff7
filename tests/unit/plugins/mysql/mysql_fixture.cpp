#include "tests/unit/plugins/mysql/mysql_fixture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "transport/base/process.h"

namespace sluice::testing {
namespace {

void expect_done(const auto& r) {
  EXPECT_TRUE(r) << r.error().message;
}

}  // namespace

std::vector<test_server> test_servers() {
  std::vector<test_server> out;
  for (const auto& [system, variable] :
       {std::pair("mariadb", "SLUICE_TEST_MARIADB"), {"mysql", "SLUICE_TEST_MYSQL"}}) {
    const char* file = std::getenv(variable);
    out.push_back({system, file == nullptr ? nlohmann::json() : nlohmann::json::parse(read_file(file))});
  }
  return out;
}

std::string server_test_name(const ::testing::TestParamInfo<test_server>& info) {
  return info.param.system;
}

void mysql_test::SetUp() {
  if (facts().is_null()) {
    GTEST_SKIP() << "no " << GetParam().system << " server: python3 tests/servers/start.py starts one";
  }
  database_ = facts().at("database");
  admin_ = connect();
  ASSERT_NE(admin_, nullptr);
  database_ =
      fmt::format("t{}_{}", ::getpid(), ::testing::UnitTest::GetInstance()->current_test_info()->line());
  sql({"DROP DATABASE IF EXISTS " + database_, "CREATE DATABASE " + database_ + " CHARACTER SET utf8mb4",
       "USE " + database_});
}

void mysql_test::TearDown() {
  if (admin_ != nullptr) {
    sql({"DROP DATABASE " + database_});
  }
}

mysql::connection_plan mysql_test::plan_for(const std::string& user, mysql::session_role role) const {
  mysql::connection_plan plan;
  const nlohmann::json& account = user == "admin" ? facts().at("admin") : facts().at("users").at(user);
  plan.connect.servers = {{facts().at("host"), facts().at("port").get<std::uint16_t>()}};
  plan.connect.database = user == "admin" ? database_ : facts().at("database").get<std::string>();
  plan.connect.user = account.at("user");
  plan.connect.password = *secret_text::parse(account.at("password").get<std::string>(), "test");
  plan.role = role;
  plan.name = "sluice test";
  plan.resolve_secret = plain_secret;
  return plan;
}

std::unique_ptr<mysql::connection> mysql_test::connect(const std::string& user) {
  auto made = mysql::connection::open(plan_for(user), {});
  expect_done(made);
  return made ? std::move(*made) : nullptr;
}

void mysql_test::sql(const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    const auto done = admin_->run(statement, {});
    ASSERT_TRUE(done) << statement << ": " << done.error().message;
  }
}

std::vector<std::string> mysql_test::rows(const std::string& query) {
  std::vector<std::string> out;
  const auto all = admin_->ask(query, {});
  EXPECT_TRUE(all) << all.error().message;
  for (const auto& row : all.value_or(std::vector<relational::sql_row>())) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += (i == 0 ? "" : "|") + row[i].value_or("<null>");
    }
    out.push_back(std::move(text));
  }
  return out;
}

std::string mysql_test::parameter(const std::string& more) const {
  const nlohmann::json& account = facts().at("admin");
  return fmt::format(R"({{"jdbcUrl": "jdbc:mysql://{}:{}/{}", "username": {}, "password": {}, {}}})",
                     facts().at("host").get<std::string>(), facts().at("port").get<int>(), database_,
                     account.at("user").dump(), account.at("password").dump(), more);
}

std::vector<std::string> mysql_test::read(const std::string& more, std::vector<std::string>* dirty) {
  const auto opened = open_source(mysql_plugin(), parameter(more));
  std::vector<std::string> out;
  auto reader = opened.object->make_reader();
  for (const split& s : opened.splits) {
    const auto batches = read_split(**reader, opened.description, s, {});
    for (std::string& row : rows_of(batches)) {
      out.push_back(std::move(row));
    }
    for (const auto& b : batches) {
      for (const dirty_record& d : b->dirty) {
        EXPECT_NE(dirty, nullptr) << d.column << ": " << d.code << ": " << d.message;
        if (dirty != nullptr) {
          dirty->push_back(fmt::format("{} {} {}", d.code, d.column, d.value.value_or("<null>")));
        }
      }
    }
  }
  return out;
}

error mysql_test::source_refused(const std::string& more) {
  const plugin p = mysql_plugin();
  auto made = p.make_source(options_of(*p.reads, parameter(more)), context_for_test());
  if (!made) {
    return made.error();
  }
  auto opened = (*made)->open({});
  EXPECT_FALSE(opened) << more;
  return opened ? error{} : opened.error();
}

error mysql_test::target_refused(const std::string& more, const schema& columns) {
  const plugin p = mysql_plugin();
  auto made = p.make_target(options_of(*p.writes, parameter(more)), context_for_test());
  if (!made) {
    return made.error();
  }
  auto opened = (*made)->open(columns, {});
  EXPECT_FALSE(opened) << more;
  return opened ? error{} : opened.error();
}

mysql_test::begun_run mysql_test::begin(const std::string& more, const schema& columns, std::uint32_t splits,
                                        std::uint8_t run_number) {
  begun_run run;
  const process_identity me = this_process();
  run.row.run = run_id::make(1'700'000'000'000, run_number, run_number);
  run.row.job_key = std::string(32, static_cast<char>('0' + run_number));
  run.row.instance = std::string(32, 'f');
  run.row.job_name = "test job";
  run.row.stage = "claimed";
  run.row.owner = claim_owner{me.host, me.pid, me.start, ""};
  const plugin p = mysql_plugin();
  auto made = p.make_target(options_of(*p.writes, parameter(more)), context_for_test(run_number));
  expect_done(made);
  if (!made) {
    return run;
  }
  run.object = std::move(*made);
  expect_done(run.object->open(columns, {}));
  progress_store* store = run.object->progress();
  expect_done(store->make_tables());
  expect_done(store->claim_new(run.row));
  std::vector<progress_row> frozen(splits);
  for (std::uint32_t i = 0; i < splits; ++i) {
    frozen[i].at.split = {i};
    frozen[i].label = fmt::format("part {}", i);
    frozen[i].description = {{"part", {std::int64_t{i}}}};
  }
  expect_done(store->freeze(run.row.run, frozen));
  expect_done(run.object->prepare(run.row.run, {}));
  for (std::size_t i = 0; i < run.object->steps_before().size(); ++i) {
    expect_done(run.object->run_step_before(i, {}));
  }
  auto described = run.object->open(columns, {});
  expect_done(described);
  expect_done(store->set_stage(run.row.run, "loading"));
  run.description = std::move(described).value_or(target_description{});
  auto out = run.object->make_writer(run.description.columns);
  expect_done(out);
  run.out = out ? std::move(*out) : nullptr;
  return run;
}

write_answer mysql_test::write(begun_run& run, const std::vector<std::shared_ptr<batch>>& batches) {
  write_answer all;
  if (run.out == nullptr) {
    return all;
  }
  auto m = run.out->open({0}, epoch_number::make(1, 1, 0), {});
  expect_done(m);
  if (!m) {
    return all;
  }
  for (const auto& b : batches) {
    const auto answer = run.out->write(*b, {});
    expect_done(answer);
    if (answer) {
      all.written += answer->written;
      all.ignored += answer->ignored;
      all.refused.insert(all.refused.end(), answer->refused.begin(), answer->refused.end());
      EXPECT_EQ(answer->written + answer->ignored + answer->refused.size(), b->rows);
    }
  }
  mark done = *m;
  done.transaction = 1;
  done.sequence = 1;
  done.done = true;
  expect_done(run.out->commit(done, {}));
  return all;
}

}  // namespace sluice::testing
