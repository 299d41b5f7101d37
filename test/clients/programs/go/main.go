// Command bigtrace-client asks the questions of the matrix with clickhouse-go, over the native protocol.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type bind struct {
	SQL        string            `json:"sql"`
	Parameters map[string]string `json:"parameters"`
}

type questions struct {
	Describe, Aggregate, Join, Error, Values, Stream, Endless, Running string
	Bind                                                               bind
}

type client struct{ driver.Conn }

func main() {
	var ask questions
	must(json.Unmarshal([]byte(os.Getenv("QUESTIONS")), &ask))
	connection, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{"127.0.0.1:" + os.Getenv("TCP_PORT")},
		Auth:        clickhouse.Auth{Database: "bigtrace", Username: "analyst", Password: os.Getenv("PASSWORD")},
		ReadTimeout: 2 * time.Minute,
	})
	must(err)
	c := client{connection}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"describe":  c.describe(ask.Describe),
		"aggregate": c.count(ask.Aggregate),
		"join":      c.count(ask.Join),
		"error":     c.failure(ask.Error),
		"bind":      c.bound(ask.Bind),
		"values":    c.values(ask.Values),
		"stream":    c.stream(ask.Stream),
		"cancel":    c.cancel(ask.Endless, ask.Running),
	}))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (c client) describe(sql string) [][2]string {
	rows, err := c.Query(context.Background(), sql)
	must(err)
	var all [][2]string
	for rows.Next() {
		fields := make([]any, len(rows.Columns()))
		for at := range fields {
			fields[at] = new(string)
		}
		must(rows.Scan(fields...))
		all = append(all, [2]string{*fields[0].(*string), *fields[1].(*string)})
	}
	must(rows.Err())
	return all
}

func (c client) count(sql string, options ...any) string {
	var n uint64
	must(c.QueryRow(context.Background(), sql, options...).Scan(&n))
	return strconv.FormatUint(n, 10)
}

func (c client) failure(sql string) string {
	rows, err := c.Query(context.Background(), sql)
	if err != nil {
		return err.Error()
	}
	for rows.Next() {
	}
	return rows.Err().Error()
}

func (c client) bound(b bind) string {
	var named []any
	for name, value := range b.Parameters {
		named = append(named, clickhouse.Named(name, value))
	}
	return c.count(b.SQL, named...)
}

// Go's strings hold any bytes.
func (c client) values(sql string) []any {
	var lowest, highest *int64
	var absent, raw, broken *string
	must(c.QueryRow(context.Background(), sql).Scan(&lowest, &highest, &absent, &raw, &broken))
	if absent != nil {
		must(errors.New("NULL became a value"))
	}
	decimal := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []any{decimal(*lowest), decimal(*highest), nil, hex.EncodeToString([]byte(*raw)), hex.EncodeToString([]byte(*broken))}
}

func (c client) stream(sql string) []string {
	rows, err := c.Query(context.Background(), sql)
	must(err)
	count, sum := 0, new(big.Int)
	for rows.Next() {
		var x *int64
		must(rows.Scan(&x))
		count++
		sum.Add(sum, big.NewInt(*x))
	}
	must(rows.Err())
	return []string{strconv.Itoa(count), sum.String()}
}

func (c client) cancel(endless, running string) string {
	left, leave := context.WithCancel(context.Background())
	said := make(chan string)
	go func() {
		var x *int64
		err := c.QueryRow(left, endless).Scan(&x)
		said <- fmt.Sprint(err)
	}()
	for c.count(running) == "0" {
		time.Sleep(100 * time.Millisecond)
	}
	leave()
	text := <-said
	for c.count(running) != "0" {
		time.Sleep(100 * time.Millisecond)
	}
	return text
}
