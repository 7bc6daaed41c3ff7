#include "plugins/common/sqlite/sqlite_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice::sqlite {

result<database> connect(const std::string& file, open_mode mode, std::chrono::milliseconds busy_timeout,
                         const std::vector<std::string>& session, std::uint64_t memory_bytes,
                         const stop_signal& stop) {
  SLUICE_TRY(database db, database::open(file, mode, busy_timeout, stop));
  // More cache than this did not measure faster for appends; random keys use what they get.
  constexpr std::uint64_t cache_bytes_max = std::uint64_t{32} << 20;
  constexpr std::uint64_t cache_bytes_min = std::uint64_t{2} << 20;
  const std::uint64_t cache = std::clamp(memory_bytes, cache_bytes_min, cache_bytes_max);
  SLUICE_CHECK(db.run(fmt::format("PRAGMA cache_size = -{}", cache >> 10)));
  for (const std::string& statement_text : session) {
    SLUICE_CHECK(db.run(statement_text));
  }
  return db;
}

result<database*> file_connection::get(open_mode mode) {
  if (!db) {
    SLUICE_TRY(database made, connect(file, mode, busy_timeout, session, 0, stop));
    if (mode != open_mode::read_only && made.is_read_only()) {
      return fail(error_kind::denied, "{}: the file is read-only for this process; {}", in_quotes(file),
                  "give it the right to write the file and its folder");
    }
    const std::lock_guard lock(interrupting);
    db.emplace(std::move(made));
  }
  db->use_stop(stop);
  return &*db;
}

void file_connection::interrupt() {
  const std::lock_guard lock(interrupting);
  if (db) {
    db->interrupt();
  }
}

}  // namespace sluice::sqlite
