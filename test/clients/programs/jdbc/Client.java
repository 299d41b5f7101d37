import java.math.BigInteger;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks the questions of the matrix with ClickHouse's JDBC driver, as DBeaver does. `java Client.java` runs it. */
public class Client {
    private final Connection connection;

    private Client() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "analyst");
        properties.setProperty("password", System.getenv("PASSWORD"));
        properties.setProperty("socket_timeout", "120000");
        String url = "jdbc:clickhouse://127.0.0.1:" + System.getenv("HTTP_PORT") + "/bigtrace";
        connection = DriverManager.getConnection(url, properties);
    }

    public static void main(String[] args) throws Exception {
        Client client = new Client();
        client.checkMetadata();
        System.out.println("{" + String.join(", ",
            "\"describe\": " + client.described(question("describe")),
            "\"aggregate\": " + quoted(client.first(question("aggregate"))),
            "\"join\": " + quoted(client.first(question("join"))),
            "\"error\": " + quoted(client.failure(question("error"))),
            "\"bind\": " + quoted(client.bound()),
            "\"values\": " + client.values(question("values_hex")),
            "\"stream\": " + client.streamed(question("stream")),
            "\"cancel\": " + quoted(client.cancelled())) + "}");
        System.exit(0);
    }

    private String described(String sql) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) all.add("[" + quoted(rows.getString(1)) + ", " + quoted(rows.getString(2)) + "]");
        }
        return all.toString();
    }

    /** What DBeaver shows in its tree. */
    private void checkMetadata() throws SQLException {
        try (ResultSet tables = connection.getMetaData().getTables(null, "bigtrace", "help", null)) {
            if (!tables.next()) throw new IllegalStateException("getTables does not list help");
            if (!tables.getString("REMARKS").contains("What is in this database"))
                throw new IllegalStateException("help has no comment: " + tables.getString("REMARKS"));
        }
        int columns = 0;
        try (ResultSet all = connection.getMetaData().getColumns(null, "bigtrace", "help", null)) {
            while (all.next()) columns++;
        }
        if (columns != 5) throw new IllegalStateException("getColumns lists " + columns + " columns of help");
    }

    private String first(String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private String failure(String sql) {
        try {
            return "no error: " + first(sql);
        } catch (SQLException error) {
            return error.getMessage();
        }
    }

    private String bound() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(question("question"))) {
            int at = 0;
            for (String name : new String[] {"trace", "script", "text"}) statement.setString(++at, question(name));
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    private String values(String sql) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            all.add(quoted(Long.toString(rows.getLong(1))));
            all.add(quoted(Long.toString(rows.getLong(2))));
            for (int at = 3; at <= 5; at++) all.add(quoted(rows.getString(at)));
        }
        return all.toString();
    }

    private String streamed(String sql) throws SQLException {
        long count = 0;
        BigInteger sum = BigInteger.ZERO;
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            for (; rows.next(); count++) sum = sum.add(BigInteger.valueOf(rows.getLong(1)));
        }
        return "[\"" + count + "\", \"" + sum + "\"]";
    }

    /** Statement.cancel() sends KILL QUERY. */
    private String cancelled() throws Exception {
        Statement statement = connection.createStatement();
        CompletableFuture<String> said = CompletableFuture.supplyAsync(() -> {
            try {
                return "no error: " + statement.executeQuery(question("endless"));
            } catch (SQLException error) {
                return error.getMessage();
            }
        });
        while (first(question("running")).equals("0")) Thread.sleep(100);
        statement.cancel();
        String text = said.get();
        while (!first(question("running")).equals("0")) Thread.sleep(100);
        return text;
    }

    /** Java has no JSON: finds the text of a member. Their names differ in all depths. */
    private static String question(String name) {
        Matcher member = Pattern.compile("\"" + name + "\":\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(System.getenv("QUESTIONS"));
        if (!member.find()) throw new IllegalArgumentException(name);
        return member.group(1).replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
    }

    private static String quoted(String text) {
        if (text == null) return "null";
        String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
        return "\"" + escaped + "\"";
    }
}
