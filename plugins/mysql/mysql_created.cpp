#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/created_table.h"
#include "plugins/mysql/mysql_target.h"
#include "transport/base/text.h"

/// Tables that `createTable` makes: their types, keys and statements.
namespace sluice::mysql {
namespace {

using relational::made_type;
using relational::source_type;

/// Types of PostgreSQL that travel as text, with the longest that the server writes of them.
struct text_row {
  std::string_view words;
  unsigned characters_max;
};
constexpr auto text_rows = std::to_array<text_row>({
    {"cidr", 49},  // ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128
    {"inet", 49},
    {"macaddr", 17},
    {"macaddr8", 23},
    {"time with time zone", 24},  // 23:59:59.999999+15:59:59
});

/// Types without lengths and sets, which a query's result names in full.
constexpr auto whole_names =
    std::to_array<std::string_view>({"json", "uuid", "inet4", "inet6", "year", "bit", "geometry"});

/// What a column is made with where it is another product's, or none.
made_type other_type(const source_type& from, bool has_uuid) {
  const data_type& type = from.column.type;
  const std::string words = from.words();
  if (words == "uuid" && (from.product == "postgresql" || from.of_mysql())) {
    return has_uuid ? made_type{"UUID"}
                    : relational::without_meaning(from, "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin");
  }
  if (from.product == "postgresql") {
    constexpr std::uint64_t char_max = 255;
    if (words == "character" && type.length_max != 0 && type.length_max <= char_max) {
      return {fmt::format("CHAR({})", type.length_max)};
    }
    for (const text_row& row : text_rows) {
      if (row.words == words) {
        return relational::without_meaning(from, fmt::format("VARCHAR({})", row.characters_max));
      }
    }
  }
  return relational::without_meaning(from, created_type(type));
}

/// Whether the members of an ENUM or SET may not be told: the server has `?` in the type's text for each
/// character beyond U+FFFF, which sets of four bytes have.
bool hides_members(std::string_view words, std::string_view own) {
  constexpr auto wide_sets =
      std::to_array<std::string_view>({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"});
  constexpr std::string_view set_word = " CHARACTER SET ";
  const std::size_t at = own.rfind(set_word);
  if ((words != "enum" && words != "set") || at == std::string_view::npos) {
    return false;
  }
  const std::string_view rest = own.substr(at + set_word.size());
  const std::string_view name = rest.substr(0, rest.find(' '));
  return own.substr(0, at).find('?') != std::string_view::npos &&
         std::find(wide_sets.begin(), wide_sets.end(), name) != wide_sets.end();
}

/// What a column of MySQL or MariaDB may be made with, the best first.
std::vector<made_type> own_types(const source_type& from, std::string_view product) {
  const std::string words = from.words();
  std::string_view own = from.own_type;
  if (own.empty() && std::find(whole_names.begin(), whole_names.end(), words) != whole_names.end()) {
    own = from.column.source_type_name;
  }
  // MySQL keeps JSON in another form, and MariaDB takes what is no deeper than 32 levels.
  if (!from.of_mysql() || own.empty() || (words == "json" && from.product != product) ||
      hides_members(words, own)) {
    return {};
  }
  std::vector<made_type> all = {{std::string(own)}};
  if (const std::size_t set = own.find(" CHARACTER SET "); set != std::string_view::npos) {
    all.push_back(
        {std::string(own.substr(0, set)), "the server does not know its character set or collation"});
  }
  return all;
}

/// Whether the server takes columns of these types. Nothing is made.
bool takes(connection& c, const std::vector<std::string>& types, const stop_signal& stop) {
  std::string list;
  for (std::size_t i = 0; i < types.size(); ++i) {
    list += fmt::format("{}c{} {}", i == 0 ? "" : ", ", i, types[i]);
  }
  return c.describe(fmt::format("CREATE TABLE sluice_types ({})", list), stop).has_value();
}

result<std::vector<made_type>> made_types(connection& c, const schema& columns, const table_facts* facts,
                                          const stop_signal& stop) {
  const std::string_view product = product_name(c.server());
  constexpr std::uint32_t first_with_uuid = 100700;
  const bool has_uuid = product == "mariadb" && c.server().version >= first_with_uuid;
  std::vector<std::vector<made_type>> choices;
  std::vector<std::string> best;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const source_type from = relational::type_at(columns, facts, i);
    choices.push_back(own_types(from, product));
    if (!choices.back().empty()) {
      best.push_back(choices.back().front().sql);
    }
    choices.back().push_back(other_type(from, has_uuid));
  }
  const bool all = takes(c, best, stop);
  std::vector<made_type> made;
  for (std::vector<made_type>& some : choices) {
    std::size_t at = 0;
    while (!all && at + 1 < some.size() && !takes(c, {some[at].sql}, stop)) {
      ++at;
    }
    made.push_back(std::move(some[at]));
  }
  if (!c.alive()) {
    return fail(error_kind::not_connected, "{}: the connection is lost", c.place());
  }
  return made;
}

/// Bytes that a column of the type takes in a key at most; nothing where it cannot stand in one.
std::optional<std::uint64_t> key_bytes(std::string_view type) {
  const declared_type declared = declared_as(type);
  const column_kind kind = kind_of(declared);
  constexpr std::uint64_t others = 32;
  if (declared.data_type.ends_with("text") || declared.data_type.ends_with("blob") ||
      declared.data_type == "json") {
    return std::nullopt;
  }
  const std::uint64_t each = kind.holds == held_as::text && kind.characters != charset::ascii ? 4 : 1;
  return kind.length_max == 0 ? others : kind.length_max * each;
}

/// Why the server would refuse the table when it is made; nothing where that is not seen.
std::optional<std::string> why_refused(const relational::created_table& table) {
  std::uint64_t bytes = 0;
  for (const relational::created_table::column& column : table.columns) {
    const auto four_bytes = [](char c) { return static_cast<unsigned char>(c) >= 0xF0; };
    if (std::any_of(column.name.begin(), column.name.end(), four_bytes)) {
      return fmt::format("column {}: names have no characters beyond U+FFFF there", in_quotes(column.name));
    }
    const column_kind kind = kind_of(declared_as(column.type));
    const auto most = key_bytes(column.type);  // nothing: it stands beside the row
    // One with a character set of its own may take fewer bytes; the table's has up to four a character.
    const bool counts = (kind.holds == held_as::text || kind.holds == held_as::bytes) &&
                        kind.length_max != 0 && column.type.find(" CHARACTER SET ") == std::string::npos;
    bytes += most && counts ? *most : 0;
  }
  constexpr std::uint64_t row_bytes_max = 65'535;
  return bytes > row_bytes_max
             ? std::optional(fmt::format(
                   "its columns take up to {} bytes in a row, and the server has at most {}: make "
                   "the table beforehand, with TEXT for some of them",
                   with_thousands(bytes), with_thousands(row_bytes_max)))
             : std::nullopt;
}

}  // namespace

result<relational::created_table> mysql_target::table_to_make(const schema& source_columns) {
  SLUICE_TRY(connection * c, connect());
  SLUICE_TRY(const auto types, made_types(*c, source_columns, facts_.get(), stop_));
  SLUICE_TRY(auto made, relational::created_table_of(options_, sql_rules(), source_columns, facts_.get(),
                                                     values_, types));
  constexpr std::size_t column_comment_max = 1024;
  constexpr std::size_t table_comment_max = 2048;
  made.leave_comments_out(column_comment_max, table_comment_max);
  for (std::size_t i = 0; i < source_columns.size(); ++i) {
    const type_id id = source_columns[i].type.id;
    if ((id == type_id::decimal || id == type_id::decimal_text) && made.columns[i].type == "LONGTEXT") {
      made.not_made.push_back(fmt::format(
          "a number type for column {}: the source does not say that its digits fit DECIMAL(65,30), "
          "and LONGTEXT keeps them all; where fewer do, make the table beforehand",
          made.columns[i].name));
    }
  }
  std::uint64_t bytes = 0;
  made.keep_null_out_of_key();
  for (const std::size_t index : made.key) {
    std::string& type = made.columns[index].type;
    const auto one = key_bytes(type);
    if (!one) {
      made.leave_key_out(fmt::format("{} cannot stand in a key", type));
      return made;
    }
    bytes += *one;
    const declared_type declared = declared_as(type);
    const bool of_characters = declared.data_type == "char" || declared.data_type == "varchar";
    if (of_characters && type.find(" COLLATE ") == std::string::npos) {
      type += " COLLATE utf8mb4_bin";  // whatever the source tells apart
    }
  }
  constexpr std::uint64_t key_bytes_max = 3072;  // InnoDB
  if (bytes > key_bytes_max) {
    made.leave_key_out(fmt::format("up to {} bytes, and a key takes {}", bytes, key_bytes_max));
  }
  return made;
}

std::string mysql_target::describe_created(const relational::created_table& table,
                                           target_description& out) const {
  const auto comment_of = [&](const std::string& comment) {
    return comment.empty() ? std::string() : " COMMENT " + connection_->literal(comment);
  };
  // A TIMESTAMP is NOT NULL where NULL is not said.
  out.ddl = {relational::create_table_sql(table, quoted_table_, quote_name,
                                          [&](const relational::created_table::column& c) {
                                            return (c.not_null ? "" : " NULL") + comment_of(c.comment);
                                          }) +
             " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4" + comment_of(table.comment)};
  out.not_made = table.not_made;
  return out.ddl.front();
}

result<void> mysql_target::check_may_lack_key() {
  constexpr std::uint32_t first_that_requires = 80013;
  constexpr std::uint32_t first_that_generates = 80030;
  const server_info& server = connection_->server();
  if (server.product != server_product::mysql || server.version < first_that_requires) {
    return {};
  }
  const bool generates = server.version >= first_that_generates;
  SLUICE_TRY(const auto rows, connection_->ask(generates ? "SELECT @@sql_require_primary_key AND NOT "
                                                           "@@sql_generate_invisible_primary_key"
                                                         : "SELECT @@sql_require_primary_key",
                                               stop_));
  if (rows.at(0).at(0) != "1") {
    return {};
  }
  return values_.bad(
      "createTable",
      fmt::format("the table would have no primary key, as the source has none or not all of it is read, and "
                  "the server takes none without (sql_require_primary_key is ON); make it with a key in "
                  "\"preSql\" or beforehand, or set \"session\" to [\"SET {}\"], which takes the right "
                  "SESSION_VARIABLES_ADMIN",
                  generates ? "sql_generate_invisible_primary_key = ON" : "sql_require_primary_key = OFF"));
}

result<void> mysql_target::plan_created_table(const schema& source_columns, target_description& out) {
  SLUICE_TRY(const auto table, table_to_make(source_columns));
  if (const auto why = why_refused(table)) {
    return values_.bad("createTable", fmt::format("the table cannot be made: {}", *why));
  }
  if (options_.mode != write_mode::insert && table.key.empty() && !steps_.table_comes_later()) {
    return values_.bad("writeMode", relational::keyless_text(relational::to_string(options_.mode)));
  }
  if (table.key.empty() && !steps_.table_comes_later()) {
    SLUICE_CHECK(check_may_lack_key());
  }
  table_info made;
  made.database = table_.database;
  made.name = table_.table;
  made.engine = "InnoDB";
  std::vector<std::size_t> mapped;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    table_column column;
    column.name = table.columns[i].name;
    column.kind = kind_of(declared_as(table.columns[i].type));
    column.not_null = table.columns[i].not_null;
    made.columns.push_back(std::move(column));
    mapped.push_back(i);
  }
  if (!table.key.empty()) {
    made.keys.push_back({"PRIMARY", true, true, true, table.key_names()});
  }
  SLUICE_CHECK(check_listed(made.column_names(), mapped));
  create_sql_ = describe_created(table, out);
  relational::announce_created(table, create_sql_, false, out);
  if (!steps_.table_comes_later()) {
    has_key_ = !table.key.empty();
  }
  return use_columns(made, mapped, source_columns, out);
}

}  // namespace sluice::mysql
