#include "plugins/mysql/mysql_sketch.h"

#include <fmt/format.h>

#include <array>

#include "plugins/common/relational/table_sketch.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

constexpr auto forms = std::to_array<relational::address_form>(
    {{"mysql", "jdbc:mysql:"}, {"mariadb", "jdbc:mariadb:"}, {"oceanbase", "jdbc:oceanbase:"}});

/// The end's table, looked at through a connection of its own.
struct looked_at {
  std::unique_ptr<connection> through;
  table_name asked;
  std::optional<table_info> table;  ///< Nothing where there is none.
};

result<looked_at> look_at(const end_place& where, const sketch_context& context, const stop_signal& stop) {
  looked_at out;
  SLUICE_TRY(const std::string named, relational::one_table(where, options_dialect()));
  const auto asked = parse_table_name(named);
  if (!asked) {
    return fail(error{error_kind::bad_option,
                      fmt::format("found {}, expected {}", in_quotes(named), options_dialect().sample_table),
                      end_named_wrong, false});
  }
  out.asked = *asked;
  connection_plan plan;
  SLUICE_TRY(plan.connect, relational::connection_to(where, options_dialect()));
  plan.name = "sluice look";
  plan.resolve_secret = context.resolve_secret;
  auto made = connection::open(plan, stop);
  if (!made) {
    return fail(relational::with_login_advice(std::move(made).error(), where));
  }
  out.through = std::move(*made);
  SLUICE_TRY(out.table, look_up_table(*out.through, out.asked, stop));
  if (out.table && out.table->by_another_case) {
    out.table.reset();  // statements name it as it is named here
  }
  return out;
}

}  // namespace

std::optional<end_place> recognise(std::string_view text) {
  return relational::table_at_address(text, forms);
}

result<end_sketch> sketch_source(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop) {
  SLUICE_TRY(const looked_at found, look_at(where, context, stop));
  if (!found.table) {
    SLUICE_TRY(const std::string missing, describe_missing_table(*found.through, found.asked, stop));
    return fail(error_kind::bad_option, "{}: {}", found.through->place(), missing);
  }
  schema columns;
  for (const table_column& c : found.table->columns) {
    columns.push_back({c.name, read_type(c.kind), !c.not_null, c.kind.name});
  }
  // Its splits would not be read at one moment; one split is.
  return relational::sketch_of_source(where, std::move(columns), "", context);
}

result<end_sketch> sketch_target(const end_place& where, const schema& columns, const sketch_context& context,
                                 const stop_signal& stop) {
  SLUICE_TRY(const looked_at found, look_at(where, context, stop));
  std::optional<relational::target_table> table;
  if (found.table) {
    if (found.table->type != table_type::table) {
      return fail(error_kind::bad_option, "{} is {}; name the table that is to be written",
                  in_quotes(found.table->name),
                  found.table->type == table_type::view ? "a view" : "no ordinary table");
    }
    table = {found.table->name, {}, {}};
    for (const table_column& c : found.table->columns) {
      table->columns.push_back({c.name, c.not_null, c.has_default || c.auto_increment, c.generated});
    }
  }
  SLUICE_TRY(auto sketch, relational::sketch_of_target(where, table, columns, options_dialect(), context));
  if (found.table) {
    schema there;
    for (const table_column& c : found.table->columns) {
      there.push_back({c.name, read_type(c.kind), !c.not_null, c.kind.name});
    }
    relational::put_types_of_table(there, columns, options_dialect().rules, sketch);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].type.id == type_id::decimal_text) {
        // createTable makes a text of a number whose digits nobody names: a copy that goes on is the same
        // job.
        sketch.columns[i].type = columns[i].type;
      }
    }
    SLUICE_CHECK(relational::look_for_records(sketch, context.mode, [&]() -> result<bool> {
      SLUICE_TRY(
          const auto rows,
          found.through->ask(fmt::format("SELECT 1 FROM {} LIMIT 1", found.table->quoted_name()), stop));
      return !rows.empty();
    }));
    if (context.mode == sketch_mode::replace && sketch.holds_records) {
      SLUICE_TRY(const auto keys, referring_keys(*found.through, *found.table, stop));
      relational::doubt_deleting(keys, sketch);
    }
  }
  return sketch;
}

}  // namespace sluice::mysql
