#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mysql/mysql_connection.h"
#include "transport/record/type.h"

/// The types of MariaDB and MySQL (https://mariadb.com/kb/en/data-types/) in both directions, as data.
namespace sluice::mysql {

/// What a column is taken to hold: decides how its text is read and written.
enum class held_as : std::uint8_t {
  integer,    ///< int64; uint64 where it is unsigned.
  year,       ///< int64: 0 and 1901 to 2155.
  bits,       ///< BIT(n): a boolean where n is 1, else uint64.
  real,       ///< float32 (FLOAT) or float64.
  decimal,    ///< decimal up to 38 digits, beyond decimal_text.
  text,       ///< utf8: CHAR, VARCHAR, TEXT, JSON, UUID, INET.
  members,    ///< utf8: ENUM and SET.
  bytes,      ///< binary: BINARY, VARBINARY, BLOB and spatial types.
  date,       ///< date
  timestamp,  ///< DATETIME: a wall clock.
  instant,    ///< TIMESTAMP: a point in time.
  duration,   ///< TIME: -838:59:59 to 838:59:59.
};

/// A byte that UTF-8 never has.
inline constexpr char undefined_mark = '\xFF';

/// A column's type with all that the server would otherwise cut, round, pad or convert by.
struct column_kind {
  held_as holds = held_as::text;
  std::string name;        ///< As the server writes it: `decimal(12,2)`, `bigint(20) unsigned`.
  std::uint8_t bits = 64;  ///< Of an integer; n of BIT(n).
  bool is_unsigned = false;
  bool single = false;           ///< FLOAT.
  bool fixed_digits = false;     ///< FLOAT(M,D), DOUBLE(M,D): rounded to `scale` digits.
  std::uint8_t precision = 0;    ///< Digits of a DECIMAL.
  std::uint8_t scale = 0;        ///< Digits behind the point, of seconds too.
  std::uint64_t length_max = 0;  ///< 0: no limit that counts.
  length_in length_unit = length_in::characters;
  charset characters = charset::unicode;
  bool drops_blanks = false;    ///< CHAR: blanks at the end are gone when it is read.
  bool pads_zeros = false;      ///< BINARY(n): shorter values get zero bytes behind them.
  bool is_set = false;          ///< SET, not ENUM.
  bool rewrites_json = false;   ///< JSON of MySQL, which keeps no text: see mysql_json.h.
  bool bits_as_number = false;  ///< Bits are sent as a decimal number, not as bytes.
  /// Texts with bytes that the column's set leaves undefined are sent as they are, behind `undefined_mark`.
  bool marks_undefined = false;
  std::vector<std::string> members;
};

/// What information_schema.COLUMNS says of a column's type.
struct declared_type {
  std::string data_type;    ///< `varchar`
  std::string column_type;  ///< `varchar(20)`
  std::string charset_name;
  std::uint64_t characters_max = 0;
  std::uint64_t bytes_max = 0;
};

/// Whether the columns of two results are of one type, as far as the server tells there.
bool same_type(const result_column& a, const result_column& b);

/// The same of a type as CREATE TABLE has it, of a table whose character set is utf8mb4.
declared_type declared_as(std::string_view type);

column_kind kind_of(const declared_type& declared);
/// The kind that has room for the values of both, whatever they differ in: length, digits, bits, character
/// set. Nothing where there is none, as of signed and unsigned numbers.
std::optional<column_kind> wider_kind(const column_kind& a, const column_kind& b);
/// Whether a column that takes texts takes the empty one; not of JSON (MySQL's), UUID, INET4 and INET6.
bool takes_empty_text(const column_kind& kind);
/// Of an expression, or of a query's column, from the result itself.
column_kind kind_of(const result_column& column);

/// The type in which a reader delivers such a column. `times_as_text`: dates and times as the server's text.
data_type read_type(const column_kind& kind, bool times_as_text = false);
/// The type in which a writer wants values for such a column, so that nothing changes on the way.
data_type write_type(const column_kind& kind, const data_type& source);
/// The declared type that `createTable` gives a column of this type.
std::string created_type(const data_type& type);

/// What a SELECT says for a column, or for an expression (`charset` is nullptr), so that all of its value is
/// sent; mostly just `sql`. The text of a FLOAT has six digits, that of DOUBLE(M,D) as many as are declared:
/// times one it is a DOUBLE of the same value with all its digits. The text of an expression of bits is its
/// bytes or its number: plus zero it is the number, and `kind.bits_as_number` is set. A text with bytes that
/// its character set leaves undefined would come with `?` in their place: it is sent as bytes that are no
/// UTF-8.
std::string sent_as(const std::string& sql, column_kind& kind, const std::string* charset);
/// Dates and times can be zero or have a zero month or day.
bool may_be_zero_date(const column_kind& kind);
/// Whether `ORDER BY` and `>` over such a column agree for each value that is read: a cursor can stand on it.
bool orders_as_read(const column_kind& kind);

/// `a`, `b` of `enum('a','b')`.
std::vector<std::string> members_of(std::string_view column_type);

/// The table of types as it stands on the plugin's page: name, what it is read as, remark.
struct type_page_row {
  std::string_view name;
  std::string_view read_as;
  std::string_view remark;
};
const std::vector<type_page_row>& type_page();

}  // namespace sluice::mysql
