// Command keda-client calls an external scaler with the client that KEDA generates for itself: keda-client ADDRESS
// METADATA, the metadata of a trigger as JSON. It prints what each call returns as a line of JSON, and at last the messages
// of StreamIsActive: the first one, and those that come until its stdin ends. After each message it calls GetMetrics.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"

	scaler "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func show(call string, answer any) {
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"call": call, "answer": answer}))
}

func main() {
	object := &scaler.ScaledObjectRef{Name: "worker", Namespace: "bigtrace"}
	must(json.Unmarshal([]byte(os.Args[2]), &object.ScalerMetadata))
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	client := scaler.NewExternalScalerClient(connection)
	calls, end := context.WithCancel(context.Background())

	spec, err := client.GetMetricSpec(calls, object)
	must(err)
	targets := map[string]float64{}
	for _, one := range spec.MetricSpecs {
		targets[one.MetricName] = one.TargetSizeFloat
	}
	show("GetMetricSpec", targets)

	// KEDA polls GetMetricSpec if a scaler does not have this call.
	specs, err := client.StreamMetricSpec(calls, object)
	must(err)
	_, err = specs.Recv()
	show("StreamMetricSpec", status.Code(err).String())

	metrics := func() {
		values := map[string]float64{}
		for name := range targets {
			answer, err := client.GetMetrics(calls, &scaler.GetMetricsRequest{ScaledObjectRef: object, MetricName: name})
			must(err)
			for _, one := range answer.MetricValues {
				values[one.MetricName] = one.MetricValueFloat
			}
		}
		show("GetMetrics", values)
	}
	active, err := client.IsActive(calls, object)
	must(err)
	show("IsActive", active.Result)
	metrics()

	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	stream, err := client.StreamIsActive(calls, object)
	must(err)
	for {
		message, err := stream.Recv()
		if status.Code(err) == codes.Canceled {
			return
		}
		must(err)
		show("StreamIsActive", message.Result)
		metrics()
	}
}
