#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/result.h"

namespace sluice::relational {

/// A value for a placeholder or of an answer, as the server writes it; nothing is NULL.
using sql_text = std::optional<std::string>;
using sql_row = std::vector<sql_text>;

/// One connection, for statements that are few and small: marks, claims, the catalogue. Implemented by each
/// plugin over its own connection, which it does not own. Used by the connection's thread. Placeholders are
/// written as the dialect says (`progress_dialect`). A failed statement may have ended the transaction:
/// `rollback` is what follows.
class sql_session {
 public:
  virtual ~sql_session() = default;

  /// All rows of one statement.
  virtual result<std::vector<sql_row>> ask(const std::string& sql, const std::vector<sql_text>& values) = 0;
  /// Runs one statement; rows that it met, also those that it left as they were (MySQL: found rows).
  virtual result<std::uint64_t> run(const std::string& sql, const std::vector<sql_text>& values) = 0;
  virtual result<void> begin() = 0;
  virtual result<void> commit() = 0;
  /// Never fails; does nothing where no transaction is open.
  virtual void rollback() = 0;
};

/// Runs `work` in a transaction of its own: what it fails with is returned after a rollback.
template <class Work>
result<void> in_transaction(sql_session& session, const Work& work) {
  SLUICE_CHECK(session.begin());
  result<void> done = work();
  if (done) {
    done = session.commit();
  }
  if (!done) {
    session.rollback();
  }
  return done;
}

}  // namespace sluice::relational
