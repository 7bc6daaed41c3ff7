#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "plugins/sqlite/sqlite_types.h"
#include "transport/base/sqlite.h"
#include "transport/record/batch.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/format.h"

namespace sluice::sqlite {

/// Why a row cannot be bound.
struct unbindable {
  std::size_t column = 0;
  std::string_view code;  ///< A dirty code's name, or SQLite's own.
  std::string message;
};

/// Binds the rows of batches to an INSERT's parameters, straight from the batch's buffers, so that each value
/// is stored as it is or the row is refused: a number in a column of NUMERIC affinity only where it reads
/// back equal, no NaN (SQLite stores it as NULL), no NULL where SQLite would put something else. Used by the
/// writer's thread.
class row_binder {
 public:
  struct target_column {
    column_kind kind;
    bool not_null = false;
    bool is_rowid = false;
  };
  row_binder(const schema& columns, std::vector<target_column> targets);

  /// The rows bound from now on are of this batch, which must live until the statement is reset or bound
  /// anew.
  void use(const batch& b) { batch_ = &b; }
  /// Binds the row; false: it cannot be stored as it is, `problem` says why.
  bool bind(statement& insert, std::uint32_t row);
  [[nodiscard]] const unbindable& problem() const { return problem_; }

 private:
  struct column_plan {
    data_type type;
    target_column target;
    bool numeric = false;                      ///< SQLite makes a number of what looks like one.
    std::array<char, value_chars_max> text{};  ///< Of a value formatted for the row at hand.
  };

  bool bind_value(statement& insert, const column& from, column_plan& plan, std::size_t at,
                  std::uint32_t row);
  bool bind_null(statement& insert, const column_plan& plan, std::size_t at);
  bool bind_double(statement& insert, std::size_t at, double v);
  bool bind_uint64(statement& insert, std::size_t at, std::uint64_t v);
  bool bind_decimal(statement& insert, column_plan& plan, std::size_t at, int128 v);
  bool bind_number(statement& insert, std::size_t at, std::string_view text);
  bool bind_text(statement& insert, const column_plan& plan, std::size_t at, std::string_view text);
  bool bind_time(statement& insert, column_plan& plan, std::size_t at, std::int64_t v);
  bool refuse(std::size_t at, std::string_view code, std::string message);

  std::vector<column_plan> plans_;
  const batch* batch_ = nullptr;
  unbindable problem_;
};

/// The fewest of 0, 3, 6 and 9 digits that lose nothing of a time with `fraction` units behind the second.
unsigned digits_needed(std::int64_t value, time_unit unit);

}  // namespace sluice::sqlite
