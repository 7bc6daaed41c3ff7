#include "plugins/sqlite/sqlite_connection_test.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "plugins/sqlite/sqlite_options.h"
#include "transport/base/process.h"
#include "transport/base/sqlite.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

using outcome = connection_step::outcome;

/// Long enough for a commit of somebody else, short enough for somebody who waits.
constexpr std::chrono::milliseconds lock_wait{500};

/// `there is no such file` without the path in front of it.
std::string without_path(const error& e, const std::string& file) {
  const std::string begin = in_quotes(file) + ": ";
  return e.message.starts_with(begin) ? e.message.substr(begin.size()) : e.message;
}

class connection_trial {
 public:
  connection_trial(std::string file, const stop_signal& stop) : file_(std::move(file)), stop_(stop) {}

  std::vector<connection_step> run() {
    if (find_file() && open()) {
      look_inside();
    }
    return std::move(steps_);
  }

 private:
  void add(connection_stage stage, outcome what, std::string found, std::string advice = {}) {
    steps_.push_back({stage, what, std::move(found), std::move(advice)});
  }

  bool find_file() {
    std::error_code failure;
    const auto status = std::filesystem::status(file_, failure);
    if (std::filesystem::is_regular_file(status)) {
      add(connection_stage::name_resolution, outcome::passed,
          fmt::format("{} is a file of {}", in_quotes(file_),
                      bytes_text(std::filesystem::file_size(file_, failure))));
      return true;
    }
    std::string advice = "correct the path, or make the file: a writer with \"createTable\": true does";
    std::string found = fmt::format("there is no file {}{}", in_quotes(file_), looked_in(file_));
    if (failure.value() == EACCES) {
      found = fmt::format("{} cannot be reached", in_quotes(file_));
      advice = "give this process the right to enter the folders on its path";
    } else if (std::filesystem::exists(status)) {
      found = fmt::format("{} is {}", in_quotes(file_),
                          std::filesystem::is_directory(status) ? "a folder" : "no file");
      advice = "name the database file";
    } else if (const auto folder = std::filesystem::path(file_).parent_path();
               !folder.empty() && !std::filesystem::is_directory(folder, failure)) {
      found += fmt::format(", nor its folder {}", in_quotes(folder.string()));
    }
    add(connection_stage::name_resolution, outcome::failed, std::move(found), std::move(advice));
    return false;
  }

  bool open() {
    if (::access(file_.c_str(), R_OK) != 0) {
      add(connection_stage::connect, outcome::failed, "this process may not read the file",
          "give it the right to read the file");
      return false;
    }
    // Reads the file's header, so that what is no database is seen here.
    auto opened = database::open(file_, open_mode::read_only, lock_wait, stop_);
    const bool is_other = !opened && opened.error().code == "SQLITE_NOTADB";
    if (!opened && !is_other) {
      add(connection_stage::connect, outcome::failed, without_path(opened.error(), file_),
          opened.error().kind == error_kind::busy ? "end the other connection, then try again" : "");
      return false;
    }
    add(connection_stage::connect, outcome::passed, "the file can be opened");
    add(connection_stage::tls, outcome::not_needed, "a local file");
    add(connection_stage::login, outcome::not_needed, "SQLite has no accounts");
    if (is_other) {
      add(connection_stage::database, outcome::failed, "the file is no SQLite database, or an encrypted one",
          "name another file");
      return false;
    }
    db_.emplace(std::move(*opened));
    return true;
  }

  void look_inside() {
    const auto tables = db_->ask(
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', "
        "'virtual') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
    const auto journal = db_->ask("PRAGMA journal_mode");
    if (!tables || !journal) {
      add(connection_stage::database, outcome::failed,
          without_path(tables ? journal.error() : tables.error(), file_));
      return;
    }
    const std::string count = tables->value_or("0");
    add(connection_stage::database, outcome::passed,
        fmt::format("SQLite database with {} {}, journal mode {}", count,
                    count == "1" ? "table or view" : "tables and views", journal->value_or("unknown")));
    db_.reset();
    look_at_rights();
  }

  void look_at_rights() {
    const auto cannot_write = [&](std::string why, std::string advice) {
      add(connection_stage::rights, outcome::limited, "may be read, not written: " + std::move(why),
          "as a source it serves; as a destination: " + std::move(advice));
    };
    const std::filesystem::path folder = std::filesystem::absolute(file_).parent_path();
    if (::access(file_.c_str(), W_OK) != 0) {
      return cannot_write("the file is read-only for this process", "give it the right to write the file");
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
      return cannot_write(
          fmt::format("the folder {} is read-only for this process", in_quotes(folder.string())),
          "give it the right to write the folder, where SQLite keeps its journal");
    }
    auto writable = database::open(file_, open_mode::read_write, lock_wait, stop_);
    if (!writable) {
      return cannot_write(without_path(writable.error(), file_), "see the reason");
    }
    // Takes the lock that a writer needs and gives it back; nothing is written.
    const auto locked = writable->run("BEGIN IMMEDIATE");
    writable->rollback();
    if (locked) {
      add(connection_stage::rights, outcome::passed, "may be read and written; no other connection writes");
    } else if (locked.error().kind == error_kind::busy) {
      add(connection_stage::rights, outcome::limited,
          "may be read and written, but another connection holds the write lock now",
          "as a destination: end the other connection, or raise \"busyTimeout\"");
    } else {
      cannot_write(without_path(locked.error(), file_), "see the reason");
    }
  }

  const std::string file_;
  const stop_signal& stop_;
  std::optional<database> db_;
  std::vector<connection_step> steps_;
};

}  // namespace

std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop) {
  const auto read = read_file_options(options, context.warn);
  if (!read) {
    return {{connection_stage::name_resolution, outcome::failed, read.error().message,
             "correct the data source"}};
  }
  return connection_trial(read->file, stop).run();
}

}  // namespace sluice::sqlite
