#include "plugins/sqlite/sqlite_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "jobspec/sqlite_url.h"
#include "plugins/common/relational/table_sketch.h"
#include "plugins/common/sqlite/sqlite_connection.h"
#include "plugins/sqlite/sqlite_options.h"
#include "plugins/sqlite/sqlite_table.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds looking_timeout{10'000};
/// https://sqlite.org/fileformat2.html section 1.3.
constexpr std::string_view magic = "SQLite format 3";

bool is_sqlite_path(std::string_view path) {
  if (has_ending(path, {".db", ".db3", ".sqlite", ".sqlite3"})) {
    return true;
  }
  std::ifstream in{std::string(path), std::ios::binary};
  std::string head(magic.size(), '\0');
  return in.read(head.data(), static_cast<std::streamsize>(head.size())) && head == magic;
}

void put(end_sketch& to, std::string name, json value, std::string comment = {}) {
  to.options.push_back({std::move(name), std::move(value), std::move(comment)});
}

/// DataX's jobs have both in a list of connections. The address of a data source stands in the registry
/// alone.
void put_place(end_sketch& to, const end_place& where, const std::string& table, dialect d, bool reads) {
  const std::string url = sqlite_url_of(where.path);
  if (d == dialect::datax) {
    json connection = json::object();
    if (!where.datasource) {
      connection["jdbcUrl"] = reads ? json::array({url}) : json(url);
    }
    connection["table"] = json::array({table});
    put(to, "connection", json::array({std::move(connection)}));
    return;
  }
  if (!where.datasource) {
    put(to, "jdbcUrl", url);
  }
  put(to, "table", table);
}

/// How a table of the same file is named: `sqlite:shop.db:TABLE`, `db:TABLE`.
std::string way_to_name(const end_place& where) {
  return where.datasource ? where.datasource->name + ":TABLE"
                          : fmt::format("sqlite:{}:TABLE", where.path.empty() ? "PATH" : where.path);
}

tl::unexpected<error> named_wrong(std::string message) {
  return fail(error{error_kind::bad_option, std::move(message), end_named_wrong, false});
}

/// The bare name of the table that is meant: `t`, `main.t` and `"t"` are the same one.
result<std::string> table_of(const end_place& where) {
  if (where.path.empty() || where.table.empty()) {
    return named_wrong(
        fmt::format("{}: the table is missing; write {}", in_quotes(where.path), way_to_name(where)));
  }
  auto name = table_name_of(where.table);
  if (!name) {
    return named_wrong(fmt::format(
        "{}: only tables of the file itself are there, and a dot separates a database's name; name it "
        "without one or as main.TABLE, and put a name with a dot of its own into double quotes",
        in_quotes(where.table)));
  }
  return *name;
}

/// As a job writes it: in quotes where it would be read as something else.
std::string name_for_job(const std::string& table) {
  return table_name_of(table) == table ? table : quote_name(table);
}

result<void> require_writable(const table_info& table, const end_place& where) {
  if (table.type == table_type::view) {
    return fail(error_kind::bad_option, "{}: {} is a view; name the table that is to be written",
                in_quotes(where.path), in_quotes(table.name));
  }
  return {};
}

relational::target_table mapping_of(const table_info& table) {
  relational::target_table out{table.name, {}, {}};
  for (const table_column& c : table.columns) {
    out.columns.push_back({c.name, c.not_null, c.has_default, c.generated});
  }
  return out;
}

}  // namespace

std::optional<end_place> recognise(std::string_view text) {
  const auto [form, rest] = split_form(text);
  const bool said = form == "sqlite";
  const std::string_view whole = said ? rest : text;
  const std::size_t colon = whole.rfind(':');
  if (colon != std::string_view::npos && (said || is_sqlite_path(whole.substr(0, colon)))) {
    return end_place{std::string(whole.substr(0, colon)), std::string(whole.substr(colon + 1)), form};
  }
  if (said || is_sqlite_path(whole)) {
    return end_place{std::string(whole), "", form};
  }
  return std::nullopt;
}

result<end_place> place_in(end_datasource source, std::string_view rest) {
  end_place where;
  SLUICE_TRY(const end_options read, read_file_options(source.options, {}));
  where.path = read.file;
  where.table = rest;
  where.datasource = std::move(source);
  return where;
}

result<end_sketch> sketch_source(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop) {
  const auto name = table_of(where);
  if (!name && (where.path.empty() || !where.table.empty())) {
    return tl::unexpected(name.error());
  }
  SLUICE_TRY(database db, connect(where.path, open_mode::read_only, looking_timeout, {}, 0, stop));
  if (!name) {
    SLUICE_TRY(const std::string there, describe_tables(db));
    return named_wrong(fmt::format("{}: the table is missing; {}; write {}", in_quotes(where.path), there,
                                   way_to_name(where)));
  }
  SLUICE_TRY(const auto table, look_up_table(db, *name));
  if (!table) {
    SLUICE_TRY(const std::string missing, describe_missing_table(db, *name));
    return fail(error_kind::bad_option, "{}; write {}", missing, way_to_name(where));
  }
  end_sketch sketch;
  put_place(sketch, where, name_for_job(table->name), context.form, true);
  json names = json::array();
  for (const table_column& c : table->columns) {
    names.push_back(c.name);
    sketch.columns.push_back({c.name, read_type(c.kind), !c.not_null && !c.is_rowid, c.declared_type});
    sketch.column_comments.push_back(c.declared_type);
  }
  put(sketch, "column", std::move(names));
  sketch.remarks.push_back(
      table->key.empty() ? "It has no unique key: it is read whole, and again whole after an interruption."
                         : fmt::format("It is read in the order of {}.", fmt::join(table->key, ", ")));
  return sketch;
}

result<end_sketch> sketch_target(const end_place& where, const schema& columns, const sketch_context& context,
                                 const stop_signal& stop) {
  SLUICE_TRY(const std::string asked, table_of(where));
  end_sketch sketch;
  std::optional<table_info> table;
  std::error_code ignored;
  if (std::filesystem::exists(where.path, ignored)) {
    end_options said;
    if (where.datasource) {
      SLUICE_TRY(said, read_file_options(where.datasource->options, {}));
    }
    SLUICE_TRY(database db,
               connect(where.path, open_mode::read_only, looking_timeout, said.session, 0, stop));
    SLUICE_TRY(table, look_up_table(db, asked));
    if (table) {
      SLUICE_CHECK(require_writable(*table, where));
      SLUICE_TRY(const auto any, db.ask(fmt::format("SELECT 1 FROM {} LIMIT 1", table->quoted_name())));
      sketch.holds_records = any.has_value();
      if (context.mode == sketch_mode::replace) {
        SLUICE_TRY(const auto keys, referring_keys(db, table->name));
        relational::doubt_deleting(keys, sketch);
      }
    }
  }
  const std::string name = table ? table->name : asked;
  put_place(sketch, where, name_for_job(name), context.form, false);
  SLUICE_CHECK(table ? relational::put_names_for_table(mapping_of(*table), columns, sql_rules, sketch)
                     : relational::put_names_for_new_table(columns, sketch));
  if (table) {
    schema there;
    for (const table_column& c : table->columns) {
      there.push_back({c.name, read_type(c.kind), !c.not_null, c.declared_type});
    }
    relational::put_types_of_table(there, columns, sql_rules, sketch);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (read_type(kind_of(created_type(columns[i].type), false)).id == type_id::utf8) {
        // createTable makes text for dates and exact numbers: a copy that goes on is the same job.
        sketch.columns[i].type = columns[i].type;
      }
    }
  }
  put(sketch, "writeMode", "insert",
      "replace, update and ignore are there for tables with a key: they make a second run leave no doubles.");
  if (context.mode == sketch_mode::replace) {
    put(sketch, "preSql", json::array({fmt::format("DELETE FROM {}", quote_name(name))}),
        "Empties the table before the data.");
  }
  put(sketch, "createTable", true,
      table ? "The table is there; nothing is made."
            : "The table is made, with types that hold every value exactly.");
  return sketch;
}

}  // namespace sluice::sqlite
