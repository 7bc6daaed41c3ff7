#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_encode.h"

namespace sluice::postgresql {

/// The code of a row that the server took without a word and did not store.
inline constexpr const char* refused_silently = "refused_silently";
extern const char* const silence;  ///< Its message.

/// The rows of a refused piece in a temporary table of the session, from which the server itself inserts
/// them: sixteen at a time, and one by one where one of these is refused. So a table full of duplicates costs
/// a few statements a batch, not a few a row. Used by a writer's thread, inside its transaction.
class row_stage {
 public:
  /// `table` quoted; `columns` and their types' names in mapping order.
  row_stage(std::string table, std::vector<std::string> columns, std::vector<std::string> type_names);

  /// False once it has turned out that this session has none: no right to make temporary tables, or no
  /// PL/pgSQL. Then the caller sends rows in ever smaller pieces.
  [[nodiscard]] bool usable() const { return usable_; }
  /// The connection is another one, or a transaction was rolled back: its temporary tables may be gone.
  void forget() { made_ = false; }

  struct outcome {
    bool staged = false;  ///< False: a row is refused on its way into the temporary table, or there is none.
    /// With the rows' places in the batch; `column` names the constraint where the server names no column.
    std::vector<refused_row> refused;
  };
  /// Inserts the rows of `b` in a savepoint.
  result<outcome> insert(connection& c, row_encoder& encoder, const batch& b,
                         const std::vector<std::uint32_t>& rows, std::size_t first, std::size_t last,
                         send_buffer& buffer);

 private:
  result<bool> make(connection& c);

  std::string make_sql_;
  std::string copy_sql_;
  std::string insert_sql_;
  bool usable_ = true;
  bool made_ = false;
};

}  // namespace sluice::postgresql
