#include "plugins/postgresql/postgresql_sketch.h"

#include <fmt/format.h>

#include <array>

#include "plugins/common/relational/table_sketch.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_session.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

constexpr auto forms = std::to_array<relational::address_form>(
    {{"postgresql", "jdbc:postgresql:"}, {"postgres", "jdbc:postgresql:"}});

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
  SLUICE_TRY(auto connect, relational::connection_to(where, options_dialect()));
  auto made = open_session({std::move(connect), {}, "look", "", context.resolve_secret}, session_role::source,
                           "", stop);
  if (!made) {
    return fail(relational::with_login_advice(std::move(made).error(), where));
  }
  out.through = std::move(*made);
  SLUICE_TRY(out.table, look_up_table(*out.through, out.asked));
  return out;
}

/// A primary key of one whole number; empty where there is none.
std::string split_key_of(const table_info& table) {
  const unique_key* key = table.order_key();
  if (key == nullptr || !key->primary || key->columns.size() != 1) {
    return "";
  }
  const wire_form form = table.named(key->columns[0])->kind.form;
  return form == wire_form::int2 || form == wire_form::int4 || form == wire_form::int8 ? key->columns[0] : "";
}

}  // namespace

std::optional<end_place> recognise(std::string_view text) {
  return relational::table_at_address(text, forms);
}

result<end_sketch> sketch_source(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop) {
  SLUICE_TRY(const looked_at found, look_at(where, context, stop));
  if (!found.table) {
    return fail(missing_table(*found.through, found.asked));
  }
  schema columns;
  for (const table_column& c : found.table->columns) {
    columns.push_back({c.name, c.kind.type, !c.never_null, c.type.name});
  }
  if (columns.empty()) {
    return fail(error_kind::bad_option, "table {} has no columns", in_quotes(found.table->name));
  }
  return relational::sketch_of_source(where, std::move(columns), split_key_of(*found.table), context);
}

result<end_sketch> sketch_target(const end_place& where, const schema& columns, const sketch_context& context,
                                 const stop_signal& stop) {
  SLUICE_TRY(const looked_at found, look_at(where, context, stop));
  std::optional<relational::target_table> table;
  if (found.table) {
    if (found.table->type != table_type::table && found.table->type != table_type::partitioned) {
      return fail(error_kind::bad_option, "{} is a {}; name the table that is to be written",
                  in_quotes(found.table->name),
                  found.table->type == table_type::foreign ? "foreign table" : "view");
    }
    table = {found.table->name, {}, {}};
    for (const table_column& c : found.table->columns) {
      table->columns.push_back({c.name, c.not_null, c.has_default, c.generated});
    }
  }
  SLUICE_TRY(auto sketch, relational::sketch_of_target(where, table, columns, options_dialect(), context));
  if (context.form == dialect::datax) {
    // DataX's own writer refuses a job that has it (job-formats 8.3).
    std::erase_if(sketch.options, [](const sketched_option& o) { return o.name == "writeMode"; });
  }
  if (found.table) {
    schema there;
    for (const table_column& c : found.table->columns) {
      there.push_back({c.name, c.kind.type, !c.never_null, c.type.name});
    }
    relational::put_types_of_table(there, columns, options_dialect().rules, sketch);
    SLUICE_CHECK(relational::look_for_records(sketch, context.mode, [&]() -> result<bool> {
      SLUICE_TRY(const auto rows,
                 found.through->ask(fmt::format("SELECT 1 FROM {} LIMIT 1", found.table->quoted_name())));
      return !rows.empty();
    }));
    if (context.mode == sketch_mode::replace && sketch.holds_records) {
      SLUICE_TRY(const auto keys, referring_keys(*found.through, *found.table));
      relational::doubt_deleting(keys, sketch);
    }
  }
  return sketch;
}

}  // namespace sluice::postgresql
