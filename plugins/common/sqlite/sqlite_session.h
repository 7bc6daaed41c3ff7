#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/common/relational/progress.h"
#include "plugins/common/sqlite/sqlite_connection.h"

namespace sluice::sqlite {

/// A connection to a file, for marks and claims. Does not own it.
class sqlite_session : public relational::sql_session {
 public:
  explicit sqlite_session(database& db) : db_(&db) {}

  result<std::vector<relational::sql_row>> ask(const std::string& sql,
                                               const std::vector<relational::sql_text>& values) override;
  result<std::uint64_t> run(const std::string& sql, const std::vector<relational::sql_text>& values) override;
  result<void> begin() override { return db_->run("BEGIN IMMEDIATE"); }
  result<void> commit() override { return db_->run("COMMIT"); }
  void rollback() override { db_->rollback(); }

 private:
  result<statement> prepared(const std::string& sql, const std::vector<relational::sql_text>& values);
  database* db_;
};

/// Where the marks of a target's file stand.
class sqlite_home : public relational::progress_home {
 public:
  explicit sqlite_home(file_connection& connection) : connection_(connection) {}

  result<relational::sql_session*> session(bool makes) override;
  /// The target looked for the file and connected where there is one.
  [[nodiscard]] bool exists() const override { return connection_.db.has_value(); }
  result<std::vector<std::string>> columns_of(const std::string& table) override;

 private:
  file_connection& connection_;
  std::optional<sqlite_session> session_;
};

/// How statements of marks and claims are written for this file.
relational::progress_dialect progress_dialect_of(const std::string& file,
                                                 const relational::mark_names& names = {});

}  // namespace sluice::sqlite
