#include "tests/unit/tools/secretive_plugin.h"

namespace sluice::testing {
namespace {

constexpr std::int64_t splits = 4;
constexpr std::int64_t rows_a_split = 5;

/// What a connection's code does.
result<void> log_in(const option_values& options, const plugin_context& context, const stop_signal& stop) {
  SLUICE_TRY(const auto written, options.secret_of("password"));
  if (!written) {
    return options.bad("password", "is needed");
  }
  SLUICE_TRY(const secret password, context.resolve_secret(*written, stop));
  ++server().logins;
  if (password.reveal() != server().password) {
    return fail(error_kind::denied, "{}: access denied for \"reader\" using password \"{}\"",
                options.place("password"), password.reveal());
  }
  if (server().after_login) {
    server().after_login();
  }
  return {};
}

struct numbers_reader final : reader {
  numbers_reader(option_values o, plugin_context c) : options(std::move(o)), context(std::move(c)) {}
  result<void> open(const scalar_list& split, const std::optional<cursor>&,
                    const stop_signal& stop) override {
    SLUICE_CHECK(log_in(options, context, stop));
    next = std::get<std::int64_t>(find(split, "from")->value);
    end = next + rows_a_split;
    return {};
  }
  result<read_answer> read(batch_builder& builder, const stop_signal&) override {
    for (; next < end && !builder.full(); ++next) {
      if (const auto bytes = builder.bytes() + 8; bytes > builder.limit().bytes_max) {
        return read_answer{builder.rows() == 0 ? read_answer::kind::needs : read_answer::kind::full, bytes};
      }
      builder.at(0).append(next);
      builder.commit_row();
    }
    return read_answer{next < end ? read_answer::kind::full : read_answer::kind::end};
  }
  option_values options;
  plugin_context context;
  std::int64_t next = 0, end = 0;
};

struct numbers_source final : source {
  numbers_source(option_values o, plugin_context c) : options(std::move(o)), context(std::move(c)) {}
  result<source_description> open(const stop_signal& stop) override {
    SLUICE_CHECK(log_in(options, context, stop));
    auto columns = std::make_shared<const schema>(schema{{"n", type_of(type_id::int64), false, "number"}});
    return source_description{columns, {"numbers"}, true, false};
  }
  result<std::vector<split>> plan_splits(std::uint32_t, const stop_signal&) override {
    std::vector<split> all;
    for (std::int64_t i = 0; i < splits; ++i) {
      all.push_back({{{"from", {i * rows_a_split}}}, fmt::format("{}", i)});
    }
    return all;
  }
  result<std::unique_ptr<reader>> make_reader() override {
    return std::make_unique<numbers_reader>(options, context);
  }
  option_values options;
  plugin_context context;
};

result<std::unique_ptr<source>> make(const option_values& options, const plugin_context& context) {
  return std::make_unique<numbers_source>(options, context);
}

std::vector<connection_step> try_login(const option_values& options, const plugin_context& context,
                                       const stop_signal& stop) {
  const auto done = log_in(options, context, stop);
  return {
      {connection_stage::connect, connection_step::outcome::passed, "connected", ""},
      {connection_stage::login, done ? connection_step::outcome::passed : connection_step::outcome::failed,
       done ? "logged in" : done.error().message, done ? "" : "correct the password"}};
}

/// Logs in with what the data source says, as a look at a table of a server does.
result<end_sketch> look_at_table(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop) {
  if (!where.datasource) {
    return fail(error_kind::internal, "the end came without its data source");
  }
  plugin_context with;
  with.resolve_secret = context.resolve_secret;
  SLUICE_CHECK(log_in(where.datasource->options, with, stop));
  end_sketch sketch;
  sketch.options = {{"table", where.table, ""}};
  sketch.columns = {{"n", type_of(type_id::int64), false, "number"}};
  return sketch;
}

}  // namespace

secretive_server& server() {
  static secretive_server one;
  return one;
}

plugin secretive_plugin() {
  static const side_description reads{
      .options = {{.name = "datasource", .meaning = "Its name in the registry."},
                  {.name = "envType", .meaning = "Its variant."},
                  {.name = "address", .type = option_type::object_list, .meaning = "Servers."},
                  {.name = "database", .meaning = "Database."},
                  {.name = "username", .meaning = "Account."},
                  {.name = "password", .meaning = "Its password.", .secret = true},
                  {.name = "table", .meaning = "Table."},
                  {.name = "rows", .type = option_type::integer, .meaning = "Rows."}}};
  return {.name = "mysql",
          .summary = "Numbers.",
          .reads = &reads,
          .make_source = &make,
          .test_connection = &try_login,
          .sketch_source = &look_at_table};
}

}  // namespace sluice::testing
