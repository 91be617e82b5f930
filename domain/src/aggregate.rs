//! The seam to cqrs-es: `Aggregate` and `DomainEvent` written once, over a pure `decide` and `evolve`.

/// Implements `cqrs_es::Aggregate`: `handle` writes what `decide` returned, and nothing after an `Err`.
macro_rules! aggregate {
    ($state:ty, $name:literal, $command:ty, $event:ty, $refusal:ty) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = $name;
            type Command = $command;
            type Event = $event;
            type Error = $refusal;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                (): &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.evolve(&event);
            }
        }
    };
}

/// Implements `cqrs_es::DomainEvent`: the variant's name is the event type; a version above 1 is given beside it.
macro_rules! domain_event {
    ($event:ty { $($variant:ident $(= $version:literal)?),* $(,)? }) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant)),* }.to_owned()
            }
            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => crate::aggregate::domain_event!(@version $($version)?)),* }.to_owned()
            }
        }
        impl $event {
            /// Every event type of this stream, in the order of declaration.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($variant)),*];
        }
    };
    (@version) => { "1" };
    (@version $version:literal) => { $version };
}

pub(crate) use {aggregate, domain_event};
